/** Of each of two generations: ten minutes of reads at full rate would be more, but an older read does no harm. */
const MAX_NONCES = 50_000;

/** The nonces of requests that change nothing: in memory, each for its time, as many as fit. */
export class Nonces {
  readonly #keptMs: number;
  readonly #max: number;
  /** When each is free again. A whole generation is forgotten at once: one by one, a Map is slow at its oldest end. */
  #newer = new Map<string, number>();
  #older = new Map<string, number>();
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(keptMs: number, max: number = MAX_NONCES) {
    this.#keptMs = keptMs;
    this.#max = max;
  }

  get size(): number {
    return this.#newer.size + this.#older.size;
  }

  has(nonce: string, now: number): boolean {
    const until = this.#newer.get(nonce) ?? this.#older.get(nonce);
    return until !== undefined && until > now;
  }

  /** Whether it was free; from then on it is taken. */
  use(nonce: string, now: number): boolean {
    if (this.has(nonce, now)) return false;
    if (this.#newer.size >= this.#max || now - this.#begunAt >= this.#keptMs) {
      this.#older = this.#newer;
      this.#newer = new Map();
      this.#begunAt = now;
    }
    this.#newer.set(nonce, now + this.#keptMs);
    return true;
  }
}
