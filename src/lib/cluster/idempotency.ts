/** `new`: nobody has claimed the key; `same`: with this value; `other`: with another one. */
export type Claim = 'new' | 'same' | 'other';

/** Remembers what has been asked for under a key: that an order number means one order, that a device was seen. */
export interface Idempotency {
  /**
   * Claims `key` for `value`, unless it is claimed. Rejects with IDEMPOTENCY_UNAVAILABLE when that cannot be known
   * within a second.
   */
  claim(key: string, value: string): Promise<Claim>;
  /** Whether claims can be made now. */
  readonly ready: boolean;
  close(): Promise<void>;
}

const KEPT = 100_000;

/** In this process only; the oldest of 100,000 claims goes first. */
export function memoryIdempotency(): Idempotency {
  const claims = new Map<string, string>();
  return {
    ready: true,
    claim(key, value) {
      const held = claims.get(key);
      if (held !== undefined) return Promise.resolve(held === value ? 'same' : 'other');
      claims.set(key, value);
      if (claims.size > KEPT) {
        const oldest = claims.keys().next();
        if (oldest.done !== true) claims.delete(oldest.value);
      }
      return Promise.resolve('new');
    },
    close: () => Promise.resolve(),
  };
}
