import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createCoin} from '../../src/lib/orders/index.js';
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

describe('the queue in the store', () => {
  const stateOf = async (store: Store, id: string) => (await store.readFirst(outbound.commandById, {id}))?.state;

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
    await store.run(outbound.enqueueCommand, command('B', {expiresAt: T + 1000}));
    const claims = await Promise.all(
      ['one', 'two', 'three'].map((owner) => store.run(outbound.claimForSending, {id: 'A', ...lease(T, owner)})),
    );
    expect(claims.map((row) => row?.lease_owner)).toEqual(['one', undefined, undefined]);
    expect(await store.run(outbound.claimForSending, {id: 'B', ...lease(T + 1000)})).toBeUndefined();
    expect(await store.run(outbound.expireCommand, {id: 'B', at: T + 999})).toBe(false);
    expect(await store.run(outbound.expireCommand, {id: 'B', at: T + 1000})).toBe(true);
    expect(await store.run(outbound.expireCommand, {id: 'A', at: T + 1000})).toBe(false);
    expect([await stateOf(store, 'A'), await stateOf(store, 'B')]).toEqual(['sent', 'expired']);
  });

  it('tries three times a minute apart, then keeps it as a dead letter; that can be retried or dismissed', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A'));
    let at = T;
    for (const outcome of ['waiting', 'waiting', 'dead']) {
      expect(await store.run(outbound.claimForSending, {id: 'A', ...lease(at)})).toBeDefined();
      expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'other', error: 'x', at})).toBeUndefined();
      expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'one', error: 'no answer', at})).toBe(outcome);
      expect(await store.run(outbound.claimForSending, {id: 'A', ...lease(at + 59_999)})).toBeUndefined();
      at += 60_000;
    }
    const dead = await outbound.deadListing.page(store, {}, {limit: 9, offset: 0});
    expect(dead).toMatchObject([{id: 'A', attempts: 3, last_error: 'no answer'}]);
    expect(await store.run(outbound.retryDead, {id: 'A', at})).toBe('waiting');
    expect(await store.run(outbound.retryDead, {id: 'A', at})).toBe('unknown');
    expect(await store.run(outbound.claimForSending, {id: 'A', ...lease(at)})).toMatchObject({attempts: 1});
    expect(await store.run(outbound.commandDone, {id: 'A', at})).toBe(true);
    expect(await store.run(outbound.commandDone, {id: 'A', at})).toBe(false);
    expect(await store.run(outbound.dismissDead, {id: 'A', at})).toBe(false);
  });

  it('drops a start that would have expired by its next attempt', async () => {
    const store = await open();
    await store.run(outbound.enqueueCommand, command('A', {kind: 'startCharge', expiresAt: T + 10_000}));
    await store.run(outbound.claimForSending, {id: 'A', ...lease(T)});
    expect(await store.run(outbound.commandFailed, {id: 'A', owner: 'one', error: 'no answer', at: T})).toBe('expired');
  });

  it('never starts an order again that is over, but stops it', async () => {
    const store = await open();
    const over = {orderNo: 'over'};
    for (const [id, kind] of [
      ['coin', 'coin'],
      ['stop', 'stopCharge'],
    ] as const) {
      await store.run(outbound.enqueueCommand, command(id, {...over, kind}));
      for (let at = T; (await stateOf(store, id)) !== 'dead'; at += 60_000) {
        await store.run(outbound.claimForSending, {id, ...lease(at)});
        await store.run(outbound.commandFailed, {id, owner: 'one', error: 'x', at});
      }
    }
    expect(await store.run(outbound.retryDead, {id: 'coin', at: T})).toBe('order over');
    expect(await store.run(outbound.retryDead, {id: 'stop', at: T})).toBe('waiting');
  });

  it('is taken over after a restart by one, without a new attempt', async () => {
    const store = await open();
    const coin = {orderNo: 'A', deviceId: 'D1', coins: 1, timeoutSeconds: 60, amountCent: null, bodyHash: 'x'};
    await store.run(createCoin, {...coin, keepMs: 60_000, at: T, lease: {owner: 'gone', until: T + 30_000}});
    expect(await store.read(outbound.lapsedCommands, {at: T + 30_000, limit: 9})).toEqual([]);
    const lapsed = await store.read(outbound.lapsedCommands, {at: T + 30_001, limit: 9});
    expect(lapsed.map(({id}) => id)).toEqual(['coin:A']);
    const take = (owner: string) => store.run(outbound.takeOverCommand, {id: 'coin:A', ...lease(T + 30_001, owner)});
    const taken = await Promise.all([take('one'), take('two')]);
    expect(taken.map((row) => row && [row.lease_owner, row.attempts])).toEqual([['one', 1], undefined]);
  });

  it('removes what ended a day ago, and no dead letter ever', async () => {
    const store = await open();
    for (const id of ['done', 'dismissed', 'dead', 'waiting', 'young']) {
      await store.run(outbound.enqueueCommand, command(id));
    }
    await store.run(outbound.commandDone, {id: 'done', at: T});
    await store.run(outbound.commandDone, {id: 'young', at: T + 3 * HOUR});
    for (const id of ['dismissed', 'dead']) {
      for (let at = T - 3 * HOUR; (await stateOf(store, id)) !== 'dead'; at += 60_000) {
        await store.run(outbound.claimForSending, {id, ...lease(at)});
        await store.run(outbound.commandFailed, {id, owner: 'one', error: 'x', at});
      }
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
