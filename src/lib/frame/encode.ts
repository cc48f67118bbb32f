import {DEFAULT_FORMAT, FrameError, type FrameFormat, HEADER_BYTES, TYPE_BYTES} from './format.js';

/**
 * Writes the five header bytes of a frame whose payload has `payloadBytes` bytes at `offset` of `target`.
 * Throws FrameError when the frame would be over the limit: such a frame never leaves this side.
 */
export function writeHeader(
  target: Uint8Array,
  offset: number,
  type: number,
  payloadBytes: number,
  format: FrameFormat,
): void {
  const len = format.length === 'payload' ? payloadBytes : payloadBytes + TYPE_BYTES;
  if (len > format.maxFrame) {
    throw new FrameError('too_long', `a frame of length ${len} is over the limit of ${format.maxFrame} bytes`);
  }
  target[offset] = len >>> 24;
  target[offset + 1] = (len >>> 16) & 0xff;
  target[offset + 2] = (len >>> 8) & 0xff;
  target[offset + 3] = len & 0xff;
  target[offset + 4] = type;
}

/** One frame as its own buffer. `type` is 0 to 255. */
export function encodeFrame(type: number, payload: Uint8Array, format: FrameFormat = DEFAULT_FORMAT): Buffer {
  if (!Number.isInteger(type) || type < 0 || type > 0xff) {
    throw new RangeError(`a frame type is a whole number from 0 to 255, not ${type}`);
  }
  const frame = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  writeHeader(frame, 0, type, payload.length, format);
  frame.set(payload, HEADER_BYTES);
  return frame;
}
