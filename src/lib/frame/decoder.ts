import {
  bodyBytes,
  DEFAULT_FORMAT,
  type FrameError,
  type FrameFormat,
  HEADER_BYTES,
  LENGTH_BYTES,
  TYPE_BYTES,
} from './format.js';

/**
 * Takes one frame: its type, and its payload as the bytes from `start` to before `end` of `bytes`. The range is valid
 * during the call only: keep a copy, not the buffer. Answering `false` stops the decoder after this frame; the rest
 * waits for `resume()`.
 */
export type FrameSink = (type: number, bytes: Buffer, start: number, end: number) => boolean | undefined;

/** The first allocation for a frame that came in pieces; it doubles as bytes really arrive. */
const FIRST_PIECE_BYTES = 256;
const NOTHING = Buffer.alloc(0);

/**
 * Reads frames from a stream cut at any places. A frame that lies whole in a chunk is handed on without a copy; one
 * that does not is gathered in a buffer that grows with the bytes received, never with the length announced.
 *
 * `push` and `resume` throw FrameError at a length of 0 or over the limit, and then every time: the stream is lost.
 * What the sink throws passes through; the frame it threw at counts as taken and the decoder is stopped behind it.
 * The sink must not call `push`.
 */
export class FrameDecoder {
  readonly #sink: FrameSink;
  readonly #format: FrameFormat;
  /** Bytes of an unfinished frame, header included; undefined between frames. */
  #piece: Buffer | undefined;
  #pieceBytes = 0;
  /** A chunk that the sink stopped in, and where. */
  #rest: Buffer | undefined;
  #restAt = 0;
  #broken: FrameError | undefined;

  constructor(sink: FrameSink, format: FrameFormat = DEFAULT_FORMAT) {
    this.#sink = sink;
    this.#format = format;
  }

  /** Bytes taken in and not yet handed on. */
  get buffered(): number {
    return this.#pieceBytes + (this.#rest === undefined ? 0 : this.#rest.length - this.#restAt);
  }

  /** True while a frame has begun and not ended. */
  get insideFrame(): boolean {
    return this.#pieceBytes > 0;
  }

  /** True after the sink answered `false`, until a `resume()` gets to the end. */
  get stopped(): boolean {
    return this.#rest !== undefined;
  }

  /** Feeds a chunk. While stopped, the chunk is kept behind what already waits. */
  push(chunk: Buffer): void {
    if (this.#broken !== undefined) throw this.#broken;
    if (this.#rest === undefined) {
      this.#read(chunk, 0);
      return;
    }
    this.#rest = Buffer.concat([this.#rest.subarray(this.#restAt), chunk]);
    this.#restAt = 0;
  }

  /** Goes on after a stop. Does nothing when not stopped. */
  resume(): void {
    if (this.#broken !== undefined) throw this.#broken;
    const rest = this.#rest;
    if (rest === undefined) return;
    this.#rest = undefined;
    this.#read(rest, this.#restAt);
  }

  /** Forgets everything unread: the connection has ended. */
  discard(): void {
    this.#piece = undefined;
    this.#pieceBytes = 0;
    this.#rest = undefined;
  }

  #read(chunk: Buffer, from: number): void {
    const size = chunk.length;
    let at = this.#pieceBytes > 0 ? this.#finishPiece(chunk, from) : from;
    const sink = this.#sink;
    while (size - at >= LENGTH_BYTES) {
      const len = (chunk[at]! << 24) | (chunk[at + 1]! << 16) | (chunk[at + 2]! << 8) | chunk[at + 3]!;
      const end = at + this.#frameBytes(len >>> 0);
      if (end > size) break;
      const start = at + HEADER_BYTES;
      at = end;
      let goOn: boolean | undefined = false;
      try {
        goOn = sink(chunk[start - TYPE_BYTES]!, chunk, start, end);
      } finally {
        if (goOn === false) this.#stopAt(chunk, at);
      }
      if (goOn === false) return;
    }
    // A bad length was refused above, as soon as its four bytes were here and before anything is kept for it.
    if (at < size) this.#gather(chunk, at, size - at);
  }

  /** Completes the gathered frame from `chunk`; answers where to go on. */
  #finishPiece(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#pieceBytes < LENGTH_BYTES) {
      at = this.#gather(chunk, at, LENGTH_BYTES);
      if (this.#pieceBytes < LENGTH_BYTES) return at;
    }
    const total = this.#frameBytes(this.#piece!.readUInt32BE(0));
    at = this.#gather(chunk, at, total);
    if (this.#pieceBytes < total) return at;
    const frame = this.#piece!;
    this.#piece = undefined;
    this.#pieceBytes = 0;
    let goOn: boolean | undefined = false;
    try {
      goOn = this.#sink(frame[LENGTH_BYTES]!, frame, HEADER_BYTES, total);
    } finally {
      if (goOn === false) this.#stopAt(chunk, at);
    }
    return goOn === false ? chunk.length : at;
  }

  #frameBytes(len: number): number {
    try {
      return LENGTH_BYTES + bodyBytes(len, this.#format);
    } catch (error) {
      this.discard();
      this.#broken = error as FrameError;
      throw error;
    }
  }

  /** Copies from `chunk` until the piece has `wanted` bytes or the chunk ends; answers the new position. */
  #gather(chunk: Buffer, at: number, wanted: number): number {
    const take = Math.min(wanted - this.#pieceBytes, chunk.length - at);
    const needed = this.#pieceBytes + take;
    let piece = this.#piece;
    if (piece === undefined || piece.length < needed) {
      // Not from Node's shared pool: a piece may wait for minutes and would pin 8 KiB.
      const grown = Buffer.allocUnsafeSlow(Math.max(FIRST_PIECE_BYTES, needed, (piece?.length ?? 0) * 2));
      if (piece !== undefined) piece.copy(grown, 0, 0, this.#pieceBytes);
      piece = grown;
      this.#piece = piece;
    }
    chunk.copy(piece, this.#pieceBytes, at, at + take);
    this.#pieceBytes = needed;
    return at + take;
  }

  #stopAt(chunk: Buffer, at: number): void {
    // A chunk that is read to its end is not kept: it may be 64 KiB of the socket's.
    this.#rest = at < chunk.length ? chunk : NOTHING;
    this.#restAt = at < chunk.length ? at : 0;
  }
}
