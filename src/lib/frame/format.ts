import {PaynetError} from '../errors.js';

/**
 * A paynet frame: `Len (4 bytes, big endian) | Type (1 byte) | Payload` (paynet.md, Frame).
 * `type+payload`: Len counts Type and Payload; `payload`: some deployed stacks count the payload alone.
 */
export type FrameLength = 'type+payload' | 'payload';

export const LENGTH_BYTES = 4;
export const TYPE_BYTES = 1;
export const HEADER_BYTES = LENGTH_BYTES + TYPE_BYTES;

export const DEFAULT_MAX_FRAME = 65_535;
/** Len is compared with `max_frame`, which cannot be raised past this: a frame is held in memory as a whole. */
export const HIGHEST_MAX_FRAME = 16 * 1024 * 1024;

export interface FrameFormat {
  /** What Len counts. */
  length: FrameLength;
  /** The largest Len accepted and sent, 1 to HIGHEST_MAX_FRAME. */
  maxFrame: number;
}

export const DEFAULT_FORMAT: FrameFormat = Object.freeze({length: 'type+payload', maxFrame: DEFAULT_MAX_FRAME});

export type FrameFault = 'empty' | 'too_long';

/** A frame that breaks the format; nothing after it on the same connection can be read. */
export class FrameError extends PaynetError {
  readonly fault: FrameFault;

  constructor(fault: FrameFault, message: string) {
    super(fault === 'empty' ? 'FRAME_EMPTY' : 'FRAME_TOO_LONG', message);
    this.fault = fault;
  }
}

/** How many bytes of Type + Payload a Len stands for; throws FrameError when Len is out of bounds. */
export function bodyBytes(len: number, format: FrameFormat): number {
  if (len > format.maxFrame) {
    throw new FrameError('too_long', `the frame's length ${len} is over the limit of ${format.maxFrame} bytes`);
  }
  if (format.length === 'payload') return len + TYPE_BYTES;
  if (len === 0) throw new FrameError('empty', 'the frame has length 0: not even a type');
  return len;
}
