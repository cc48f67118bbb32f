import {describe, expect, it} from 'vitest';
import {LEDGER_ENTRIES, type LedgerEntry, memoryLedger} from '../../src/lib/device/index.js';
import {CoinState} from '../../src/lib/registry/index.js';

const entry = (orderId: string, state = CoinState.COIN_DONE): LedgerEntry => ({
  orderId,
  coins: 1,
  state,
  progress: 0,
  error: '',
});

describe('the memory ledger', () => {
  it('keeps the newest entries, each order once', async () => {
    const ledger = memoryLedger();
    await ledger.put(entry('a', CoinState.COIN_RUNNING));
    await ledger.put(entry('b'));
    await ledger.put(entry('a'));
    expect([...ledger.entries()].map(({orderId, state}) => [orderId, state])).toEqual([
      ['b', CoinState.COIN_DONE],
      ['a', CoinState.COIN_DONE],
    ]);
    expect(ledger.get('c')).toBeUndefined();
  });

  it('forgets the oldest over the limit, but none that is being executed', async () => {
    const ledger = memoryLedger();
    await ledger.put(entry('open', CoinState.COIN_RUNNING));
    for (let n = 0; n < LEDGER_ENTRIES; n++) await ledger.put(entry(`n-${n}`));
    expect([...ledger.entries()]).toHaveLength(LEDGER_ENTRIES);
    expect(ledger.get('open')).toMatchObject({state: CoinState.COIN_RUNNING});
    expect(ledger.get('n-0')).toBeUndefined();
    expect(ledger.get('n-1')).toBeDefined();
  });
});
