import {describe, expect, it} from 'vitest';
import {dispense} from '../../src/lib/device/index.js';
import {type CoinAck, CoinCommand, CoinState, type HandlerContext} from '../../src/lib/registry/index.js';

function run(payOut: Parameters<typeof dispense>[0], timeout = 30): {acks: CoinAck[]; ended: Promise<void>} {
  const acks: CoinAck[] = [];
  const context: HandlerContext = {
    deviceId: 'd',
    connectionId: 'c',
    attributes: new Map(),
    send: (_, message) => acks.push(message as CoinAck),
  };
  const ended = dispense(payOut)(context, CoinCommand.create({orderId: 'o', coins: 4, timeout}));
  return {acks, ended: Promise.resolve(ended)};
}
const short = (acks: CoinAck[]): unknown[] => acks.map(({state, progress, error}) => [state, progress, error]);
const {COIN_RUNNING: RUNNING, COIN_DONE: DONE, COIN_FAILED: FAILED} = CoinState;

describe('dispense', () => {
  it('reports RUNNING with its progress, then DONE', async () => {
    const {acks, ended} = run(async ({orderId, coins, progress}) => {
      expect([orderId, coins]).toEqual(['o', 4]);
      progress(50.4);
    });
    await ended;
    expect(short(acks)).toEqual([
      [RUNNING, 0, ''],
      [RUNNING, 50, ''],
      [DONE, 100, ''],
    ]);
  });

  it('reports FAILED with the reason and how far it came', async () => {
    const {acks, ended} = run(async ({progress}) => {
      progress(25);
      throw new Error('coin jam');
    });
    await ended;
    expect(short(acks).at(-1)).toEqual([FAILED, 25, 'coin jam']);
  });

  it('keeps progress between 0 and 100, and survives what is no number', async () => {
    const {acks, ended} = run(async ({progress}) => {
      for (const percent of [-5, Number.NaN, 30, 0 / 0, Number.POSITIVE_INFINITY, 1e9]) progress(percent);
    });
    await ended;
    expect(acks.map(({progress}) => progress)).toEqual([0, 0, 0, 30, 30, 100, 100, 100]);
  });

  it('aborts the payout when the time of the order is over', async () => {
    const {acks, ended} = run(({signal}) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    }, 1);
    await ended;
    expect(short(acks).at(-1)).toEqual([FAILED, 0, 'not finished within 1 s']);
  });

  // A timer over 24.8 days would fire at once.
  it.each([0, 2 ** 31, 2 ** 32 - 1])('does not abort at once with a timeout of %i', async (timeout) => {
    const {acks, ended} = run(async ({signal}) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      signal.throwIfAborted();
    }, timeout);
    await ended;
    expect(short(acks).at(-1)).toEqual([DONE, 100, '']);
  });
});
