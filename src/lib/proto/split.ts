import {messageOf, PaynetError} from '../errors.js';
import {FrameDecoder, FrameError, type FrameFormat, HEADER_BYTES} from '../frame/index.js';
import {typeText} from '../registry/index.js';

/** A frame as it lies in the input. */
export interface RawFrame {
  /** Of its first byte in the input. */
  offset: number;
  type: number;
  payload: Buffer;
  bytes: Buffer;
}

export interface Split {
  frames: RawFrame[];
  /** Why the bytes after the last frame are none: FRAME_EMPTY, FRAME_TOO_LONG or FRAME_INCOMPLETE. */
  fault: PaynetError | undefined;
}

const LENGTH_BYTES = 4;

/** Cuts bytes into frames, as a connection's decoder does. */
export function splitFrames(bytes: Buffer, format: FrameFormat): Split {
  const {frames, problem, code} = cut(bytes, format);
  if (problem === undefined) return {frames, fault: undefined};
  const offset = endOf(frames);
  return {
    frames,
    fault: new PaynetError(code, `At offset ${offset}: ${problem}.`, {hint: hintFor(bytes, format, code)}),
  };
}

interface Cut {
  frames: RawFrame[];
  problem: string | undefined;
  code: string;
}

function cut(bytes: Buffer, format: FrameFormat): Cut {
  const frames: RawFrame[] = [];
  const decoder = new FrameDecoder((type, chunk, start, end) => {
    const offset = start - HEADER_BYTES;
    frames.push({offset, type, payload: chunk.subarray(start, end), bytes: chunk.subarray(offset, end)});
    return true;
  }, format);
  try {
    decoder.push(bytes);
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    return {frames, problem: messageOf(error), code: error.code};
  }
  const rest = bytes.subarray(endOf(frames));
  return {frames, problem: rest.length === 0 ? undefined : partial(rest, format), code: 'FRAME_INCOMPLETE'};
}

function partial(rest: Buffer, format: FrameFormat): string {
  const here = `${rest.length} ${rest.length === 1 ? 'byte is' : 'bytes are'} left`;
  if (rest.length < LENGTH_BYTES) return `${here}, less than the ${LENGTH_BYTES} bytes of a length`;
  const len = rest.readUInt32BE(0);
  const whole = LENGTH_BYTES + len + (format.length === 'payload' ? 1 : 0);
  const type = rest.length > LENGTH_BYTES ? ` of type ${typeText(rest[LENGTH_BYTES] ?? 0)}` : '';
  const missing = whole - rest.length;
  return `${here} of a frame${type} with ${whole} bytes (Len ${len}); ${missing} ${missing === 1 ? 'is' : 'are'} missing`;
}

function hintFor(bytes: Buffer, format: FrameFormat, code: string): string {
  const length = format.length === 'payload' ? 'type+payload' : 'payload';
  const other = cut(bytes, {...format, length});
  if (other.problem === undefined) {
    const {length: count} = other.frames;
    return `With --frame-length ${length} these bytes are ${count} whole ${count === 1 ? 'frame' : 'frames'}.`;
  }
  if (code === 'FRAME_INCOMPLETE') return 'Give the frame as a whole.';
  return 'Check that the input begins with the first byte of a frame; --max-frame sets the limit.';
}

function endOf(frames: readonly RawFrame[]): number {
  const last = frames.at(-1);
  return last === undefined ? 0 : last.offset + last.bytes.length;
}
