import {type FrameFormat, HEADER_BYTES, writeHeader} from '../frame/index.js';

/** Where bytes go: a connection. */
export interface Transmitter {
  /** Takes a buffer for good: it is not written to afterwards. */
  transmit(bytes: Buffer): void;
}

const SCRATCH_BYTES = 64 * 1024;

/**
 * Gathers what is sent to one connection during a turn of the event loop and hands it over as one write: on TLS one
 * record instead of one for each frame, which is what a small message costs. Shared by all connections of a process
 * part, since only one of them is written to at a time.
 */
export class Outgoing {
  readonly #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #length = 0;
  #owner: Transmitter | undefined;
  #held = 0;
  #scheduled = false;
  readonly #flushLater = (): void => {
    this.#scheduled = false;
    if (this.#held === 0) this.flush();
  };

  /** Appends a frame. Throws FrameError, and sends nothing of it, when it is over the limit. */
  frame(owner: Transmitter, type: number, payload: Uint8Array, format: FrameFormat): void {
    const bytes = HEADER_BYTES + payload.length;
    const at = this.#reserve(owner, bytes);
    if (at < 0) {
      const frame = Buffer.allocUnsafeSlow(bytes);
      writeHeader(frame, 0, type, payload.length, format);
      frame.set(payload, HEADER_BYTES);
      owner.transmit(frame);
      return;
    }
    writeHeader(this.#scratch, at, type, payload.length, format);
    this.#scratch.set(payload, at + HEADER_BYTES);
    this.#length = at + bytes;
  }

  /** Appends bytes that are a frame, or frames, already. */
  bytes(owner: Transmitter, bytes: Uint8Array): void {
    const at = this.#reserve(owner, bytes.length);
    if (at < 0) {
      owner.transmit(Buffer.from(bytes));
      return;
    }
    this.#scratch.set(bytes, at);
    this.#length = at + bytes.length;
  }

  /** Between `hold` and `release` nothing is flushed by itself: a chunk's frames are answered together. */
  hold(): void {
    this.#held++;
  }

  release(): void {
    this.#held--;
    if (this.#held === 0 && this.#length > 0) this.flush();
  }

  /** Hands over what is gathered, now. */
  flush(): void {
    const owner = this.#owner;
    const length = this.#length;
    if (owner === undefined || length === 0) return;
    this.#owner = undefined;
    this.#length = 0;
    const bytes = Buffer.allocUnsafe(length);
    this.#scratch.copy(bytes, 0, 0, length);
    owner.transmit(bytes);
  }

  /** The place for `bytes` bytes in the scratch, or -1 when they do not fit even into an empty one. */
  #reserve(owner: Transmitter, bytes: number): number {
    if (this.#owner !== owner || this.#length + bytes > SCRATCH_BYTES) {
      this.flush();
      if (bytes > SCRATCH_BYTES) return -1;
      this.#owner = owner;
    }
    if (this.#held === 0 && !this.#scheduled) {
      this.#scheduled = true;
      process.nextTick(this.#flushLater);
    }
    return this.#length;
  }
}
