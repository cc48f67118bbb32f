import {isIPv6} from 'node:net';

export interface Rate {
  perSecond: number;
  /** How many may come at once. */
  burst: number;
}

interface Bucket {
  tokens: number;
  /** UTC milliseconds. */
  at: number;
}

const MAX_BUCKETS = 10_000;

/** Token buckets by name. The number of names is bounded: the one that was used longest ago is forgotten first. */
export class Buckets {
  readonly #rate: Rate;
  readonly #max: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate, max: number = MAX_BUCKETS) {
    this.#rate = rate;
    this.#max = max;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token; answers 0, or for how many seconds there is none. */
  take(name: string, now: number): number {
    const bucket = this.#fill(name, now);
    // A single one is always the last that was used.
    if (this.#buckets.size !== 1 || !this.#buckets.has(name)) {
      this.#buckets.delete(name);
      this.#buckets.set(name, bucket);
      if (this.#buckets.size > this.#max) this.#forgetOldest();
    }
    if (bucket.tokens < 1) return this.#wait(bucket);
    bucket.tokens -= 1;
    return 0;
  }

  /** As `take`, and takes nothing. */
  look(name: string, now: number): number {
    const bucket = this.#fill(name, now);
    return bucket.tokens < 1 ? this.#wait(bucket) : 0;
  }

  #fill(name: string, now: number): Bucket {
    const bucket = this.#buckets.get(name) ?? {tokens: this.#rate.burst, at: now};
    // A clock that was set back must not take tokens away.
    const passed = Math.max(0, now - bucket.at) / 1000;
    bucket.tokens = Math.min(this.#rate.burst, bucket.tokens + passed * this.#rate.perSecond);
    bucket.at = now;
    return bucket;
  }

  #wait({tokens}: Bucket): number {
    return Math.max(1, Math.ceil((1 - tokens) / this.#rate.perSecond));
  }

  #forgetOldest(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** Under which name an address is counted: whoever has one IPv6 address has the /64 around it. */
export function networkOf(address: string): string {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address;
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left.slice(0, 4).join(':');
  const right = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  return [...left, ...zeros, ...right].slice(0, 4).join(':');
}
