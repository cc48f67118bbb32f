/** More devices than a node holds; beyond it the oldest marks go first. */
const MAX_MARKS = 100_000;
/** Removed at one sweep: what a great many devices left behind at once goes little by little. */
const SWEPT = 5000;

/**
 * When something last happened to devices, for as long as it counts: it outlives the connection, so that a new one does
 * not begin with a clean record. Times are any milliseconds that never go back.
 */
export class Marks {
  readonly #keptMs: number;
  // In the order of their times, so the oldest are at the front.
  readonly #at = new Map<string, number>();

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  get size(): number {
    return this.#at.size;
  }

  set(deviceId: string, now: number): void {
    this.#at.delete(deviceId);
    this.#at.set(deviceId, now);
    if (this.#at.size <= MAX_MARKS) return;
    const [oldest] = this.#at.keys();
    if (oldest !== undefined) this.#at.delete(oldest);
  }

  /** How long ago; undefined when it is not known any more. */
  ago(deviceId: string, now: number): number | undefined {
    const at = this.#at.get(deviceId);
    return at === undefined ? undefined : now - at;
  }

  /** Forgets what counts no more. */
  sweep(now: number): void {
    let left = SWEPT;
    for (const [deviceId, at] of this.#at) {
      if (now - at <= this.#keptMs || left === 0) return;
      this.#at.delete(deviceId);
      left -= 1;
    }
  }
}
