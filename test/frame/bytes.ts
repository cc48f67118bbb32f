import {encodeFrame, FrameDecoder, type FrameFormat} from '../../src/lib/frame/index.js';

export interface PlainFrame {
  type: number;
  payload: Buffer;
}

export function encodeAll(frames: readonly PlainFrame[], format?: FrameFormat): Buffer {
  return Buffer.concat(frames.map((frame) => encodeFrame(frame.type, frame.payload, format)));
}

/** A decoder whose frames are copied into `frames`. */
export function collecting(format?: FrameFormat): {decoder: FrameDecoder; frames: PlainFrame[]} {
  const frames: PlainFrame[] = [];
  const decoder = new FrameDecoder((type, bytes, start, end) => {
    frames.push({type, payload: Buffer.from(bytes.subarray(start, end))});
    return true;
  }, format);
  return {decoder, frames};
}

/** `bytes` in pieces of the given sizes, the last size repeated. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.max(1, sizes[Math.min(turn, sizes.length - 1)] ?? 1);
    // Each piece is its own memory, as a socket's chunks are.
    pieces.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return pieces;
}
