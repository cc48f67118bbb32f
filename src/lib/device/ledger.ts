import {CoinState} from '../registry/index.js';

/** What a device knows of an order that it has accepted. */
export interface LedgerEntry {
  orderId: string;
  coins: number;
  state: CoinState;
  /** Percent. */
  progress: number;
  error: string;
}

/**
 * The memory of executed orders: an order that is in it is never executed again. `put` resolves when the entry would
 * survive a power cut, and rejects when it would not: then nothing may be paid out. Puts of one order take effect in
 * the order of the calls; `get` and `entries` tell what has been stored, not what is still being stored.
 */
export interface Ledger {
  get(orderId: string): LedgerEntry | undefined;
  put(entry: LedgerEntry): Promise<void>;
  /** Every entry kept, oldest first. */
  entries(): Iterable<LedgerEntry>;
  close(): Promise<void>;
}

/** How many orders are remembered; the oldest go first. A box pays out a few hundred a day. */
export const LEDGER_ENTRIES = 10_000;

/** DONE and FAILED: nothing follows. */
export const isFinal = (state: CoinState): boolean => state === CoinState.COIN_DONE || state === CoinState.COIN_FAILED;

/**
 * Adds or replaces an entry as the newest; over the limit the oldest goes that has ended. One that is being executed
 * stays: forgotten, it would be executed again.
 */
export function remember(entries: Map<string, LedgerEntry>, entry: LedgerEntry): void {
  entries.delete(entry.orderId);
  entries.set(entry.orderId, entry);
  if (entries.size <= LEDGER_ENTRIES) return;
  for (const [orderId, {state}] of entries) {
    if (!isFinal(state)) continue;
    entries.delete(orderId);
    return;
  }
}

/** A ledger that is gone with the process: for tests, and for devices that keep their own. */
export function memoryLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>();
  return {
    get: (orderId) => entries.get(orderId),
    async put(entry) {
      remember(entries, entry);
    },
    entries: () => entries.values(),
    close: () => Promise.resolve(),
  };
}
