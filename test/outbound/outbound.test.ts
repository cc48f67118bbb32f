import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {claimCoin, createCoin} from '../../src/lib/orders/index.js';
import * as outbound from '../../src/lib/outbound/index.js';
import type {Store} from '../../src/lib/store/index.js';
import {open, T} from '../orders/store.js';

describe('admission', () => {
  it.each<[number, number[]]>([
    [0, [0, 1, 2, 5, 9]],
    [200, [0, 1, 2, 5, 9]],
    [201, [0, 1, 2, 5]],
    [500, [0, 1, 2, 5]],
    [501, [0, 1, 2]],
    [1000, [0, 1, 2]],
    [1001, [0]],
  ])('with %i waiting takes %j', (length, taken) => {
    expect([0, 1, 2, 5, 9].filter((priority) => outbound.admits(priority, length))).toEqual(taken);
  });

  it('never takes more of a longer queue, nor the lower priority before the higher', () => {
    const number = fc.integer({min: 0, max: 3000});
    const priority = fc.integer({min: 0, max: 9});
    fc.assert(
      fc.property(priority, priority, number, number, (p1, p2, n1, n2) => {
        const [high, low] = [Math.min(p1, p2), Math.max(p1, p2)];
        const [short, long] = [Math.min(n1, n2), Math.max(n1, n2)];
        if (outbound.admits(low, long)) expect(outbound.admits(high, short)).toBe(true);
      }),
    );
  });
});

const lease = (at: number, owner = 'one') => ({at, owner, until: at + 30_000});
const HOUR = 3_600_000;

function command(id: string, more: Partial<outbound.NewCommand> = {}): outbound.NewCommand {
  const what = {kind: 'stopCharge', payload: {port: 1}, priority: 1};
  return {id, deviceId: 'D1', orderNo: null, ...what, expiresAt: null, at: T, ...more};
}

const COIN = {orderNo: 'A', deviceId: 'D1', coins: 1, timeoutSeconds: 60, amountCent: null, bodyHash: 'x'};

const claim = (store: Store, at: number, {deviceId = 'D1', owner = 'one'} = {}) =>
  store.run(outbound.claimForSending, {deviceId, ...lease(at, owner)});

const stateOf = async (store: Store, id: string) => (await store.readFirst(outbound.commandById, {id}))?.state;

/** Lets every attempt of a command fail, from `at` on. */
async function giveUp(store: Store, id: string, from: number, deviceId = 'D1'): Promise<void> {
  for (let at = from; (await stateOf(store, id)) !== 'dead'; at += 60_000) {
    await claim(store, at, {deviceId});
    await store.run(outbound.commandFailed, {id, owner: 'one', error: 'x', at});
  }
}

describe('the queue in the store', () => {
  it('gives what waits by priority, then by age', async () => {
    const store = await open();
    const all: [string, number, number][] = [
      ['low', 5, T],
      ['second', 1, T + 2],
      ['first', 1, T + 1],
      ['urgent', 0, T + 3],
    ];
    for (const [id, priority, at] of all) await store.run(outbound.enqueueCommand, command(id, {priority, at}));
    const waiting = await store.read(outbound.waitingOfDevice, {deviceId: 'D1', limit: 9});
    expect(waiting.map(({id}) => id)).toEqual(['urgent', 'first', 'second', 'low']);
  });

  it('is claimed by exactly one, before its expiry', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', {expiresAt: T + 1000}));
    await store.run(outbound.enqueueCommand, command('B', {deviceId: 'D2', expiresAt: T + 1000}));
    const claims = await Promise.all(['one', 'two', 'three'].map((owner) => claim(store, T, {owner})));
    expect(claims.map((row) => row?.lease_owner)).toEqual(['one', undefined, undefined]);
    expect(await claim(store, T + 1000, {deviceId: 'D2'})).toBeUndefined();
    expect(await store.run(outbound.expireCommand, {id: 'B', at: T + 999})).toBe(false);
    expect(await store.run(outbound.expireCommand, {id: 'B', at: T + 1000})).toBe(true);
    expect(await store.run(outbound.expireCommand, {id: 'A', at: T + 1000})).toBe(false);
    expect([await stateOf(store, 'A'), await stateOf(store, 'B')]).toEqual(['sent', 'expired']);
  });

  it('leaves coins to their own lanes, and the other way round', async () => {
    const store = await open();
    await store.run(createCoin, {...COIN, keepMs: HOUR, at: T});
    expect(await claim(store, T)).toBeUndefined();
    await store.run(outbound.enqueueCommand, command('stop', {at: T - 1}));
    expect(await store.run(claimCoin, {deviceId: 'D1', ...lease(T)})).toMatchObject({orderNo: 'A'});
    expect(await claim(store, T)).toMatchObject({id: 'stop'});
    const at = T + 30_001;
    expect((await store.read(outbound.lapsedCommands, {at, limit: 9})).map(({id}) => id)).toEqual(['stop']);
    expect(await store.run(outbound.takeOverCommand, {id: 'coin:A', at})).toBeUndefined();
    const from = {at, afterAt: -1, afterId: '', limit: 9};
    expect(await store.read(outbound.dueCommands, from)).toEqual([]);
  });

  it('tries three times a minute apart, then keeps it as a dead letter; that can be retried or dismissed', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A'));
    let at = T;
    for (const outcome of ['waiting', 'waiting', 'dead']) {
      expect(await claim(store, at)).toBeDefined();
      expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'other', error: 'x', at})).toBeUndefined();
      expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'one', error: 'no answer', at})).toBe(outcome);
      expect(await claim(store, at + 59_999)).toBeUndefined();
      at += 60_000;
    }
    const dead = await outbound.deadListing.page(store, {}, {limit: 9, offset: 0});
    expect(dead).toMatchObject([{id: 'A', attempts: 3, last_error: 'no answer'}]);
    expect(await store.run(outbound.retryDead, {id: 'A', at})).toBe('waiting');
    expect(await store.run(outbound.retryDead, {id: 'A', at})).toBe('unknown');
    expect(await claim(store, at)).toMatchObject({attempts: 1});
    expect(await store.run(outbound.commandDone, {id: 'A', at})).toBe(true);
    expect(await store.run(outbound.commandDone, {id: 'A', at})).toBe(false);
    expect(await store.run(outbound.dismissDead, {id: 'A', at})).toBe(false);
  });

  it('drops a start that would have expired by its next attempt', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', {kind: 'startCharge', expiresAt: T + 10_000}));
    await claim(store, T);
    expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'one', error: 'no answer', at: T})).toBe('expired');
  });

  it('never starts an order again that is over, but stops it', async () => {
    const store = await open();
    const over = {orderNo: 'over'};
    for (const kind of ['startCharge', 'stopCharge']) {
      await store.run(outbound.enqueueCommand, command(kind, {...over, kind}));
      await giveUp(store, kind, T);
    }
    expect(await store.run(outbound.retryDead, {id: 'startCharge', at: T})).toBe('order over');
    expect(await store.run(outbound.retryDead, {id: 'stopCharge', at: T})).toBe('waiting');
  });

  it.each<[string, Partial<outbound.NewCommand>, number, string]>([
    ['a stop waits again', {}, 1, 'waiting'],
    ['after three attempts it is given up', {}, 3, 'dead'],
    ['a start is not sent again', {kind: 'startCharge'}, 1, 'dead'],
    ['nor after its time', {kind: 'startCharge', expiresAt: T + 10_000}, 1, 'expired'],
    ['nothing is, after its time', {expiresAt: T + 10_000}, 1, 'expired'],
  ])('is taken over by one when its lease has lapsed: %s', async (_, more, attempts, state) => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', more));
    let at = T;
    for (let count = 1; count <= attempts; count += 1) {
      expect(await claim(store, at)).toMatchObject({attempts: count});
      if (count < attempts) await store.run(outbound.commandFailed, {id: 'A', owner: 'one', error: 'x', at});
      if (count < attempts) at += 60_000;
    }
    expect(await store.run(outbound.takeOverCommand, {id: 'A', at: at + 30_000})).toBeUndefined();
    const take = () => store.run(outbound.takeOverCommand, {id: 'A', at: at + 30_001});
    const taken = await Promise.all([take(), take()]);
    expect(taken.map((one) => one?.state)).toEqual([state, undefined]);
    expect(await store.readFirst(outbound.commandById, {id: 'A'})).toMatchObject({state, attempts, lease_owner: null});
  });

  it('is given back by its sender as if nothing had been noted, or has expired meanwhile', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', {expiresAt: T + 10_000}));
    await claim(store, T);
    expect(await store.run(outbound.handBack, {id: 'A', owner: 'other', at: T})).toBeUndefined();
    expect(await store.run(outbound.handBack, {id: 'A', owner: 'one', at: T})).toBe('waiting');
    expect(await claim(store, T)).toMatchObject({attempts: 1});
    expect(await store.run(outbound.handBack, {id: 'A', owner: 'one', at: T + 10_000})).toBe('expired');
    expect(await store.readFirst(outbound.commandById, {id: 'A'})).toMatchObject({state: 'expired', attempts: 0});
  });

  it('is a dead letter at once when no other attempt can help', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', {kind: 'startCharge', expiresAt: T + 10_000}));
    await claim(store, T);
    const failed = {id: 'A', owner: 'one', error: 'unknown', final: true, at: T};
    expect(await store.run(outbound.commandFailed, failed)).toBe('dead');
  });

  it('lists what is not over, coins too, the latest first', async () => {
    const store = await open();
    for (const [id, at] of [
      ['b', T],
      ['a', T],
      ['c', T + 1],
      ['done', T + 2],
    ] as const) {
      await store.run(outbound.enqueueCommand, command(id, {at, priority: 5}));
    }
    await store.run(outbound.enqueueCommand, command('other', {deviceId: 'D2', at: T - 1}));
    await store.run(createCoin, {...COIN, keepMs: HOUR, at: T + 3});
    await store.run(outbound.commandDone, {id: 'done', at: T});
    await claim(store, T + 1);
    const list = async (filter: {deviceId?: string}, limit: number, offset = 0) =>
      (await outbound.openListing.page(store, filter, {limit, offset})).map(({id}) => id);
    expect(await list({}, 100)).toEqual(['coin:A', 'c', 'b', 'a', 'other']);
    expect(await list({deviceId: 'D1'}, 3)).toEqual(['coin:A', 'c', 'b']);
    expect(await list({deviceId: 'D1'}, 3, 3)).toEqual(['a']);
    expect(await list({}, 3, 4)).toEqual(['other']);
    expect(await outbound.openListing.count(store, {deviceId: 'D1'})).toBe(4);
  });

  it('removes what ended a day ago, and no dead letter ever', async () => {
    const store = await open();
    for (const id of ['done', 'dismissed', 'dead', 'waiting', 'young']) {
      await store.run(outbound.enqueueCommand, command(id, {deviceId: id}));
    }
    await store.run(outbound.commandDone, {id: 'done', at: T});
    await store.run(outbound.commandDone, {id: 'young', at: T + 3 * HOUR});
    for (const id of ['dismissed', 'dead']) {
      await giveUp(store, id, T - 3 * HOUR, id);
    }
    expect(await store.run(outbound.dismissDead, {id: 'dismissed', at: T})).toBe(true);
    const at = T + 25 * HOUR;
    expect(await store.run(outbound.cleanCommands, {at: T + 24 * HOUR, limit: 99})).toBe(0);
    expect(await store.run(outbound.cleanCommands, {at, limit: 1})).toBe(1);
    expect(await store.run(outbound.cleanCommands, {at, limit: 99})).toBe(1);
    const left = await Promise.all(['done', 'dismissed', 'dead', 'waiting', 'young'].map((id) => stateOf(store, id)));
    expect(left).toEqual([undefined, undefined, 'dead', 'waiting', 'done']);
  });
});
