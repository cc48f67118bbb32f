import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
  countEvents,
  type EventFilter,
  eventListing,
  eventsOfOrder,
  findEvent,
  replayDead,
  replayEvents,
} from '../../src/lib/events/index.js';
import {
  claimEvents,
  dueEvents,
  eventDead,
  eventFailed,
  eventPushed,
  hastenEvents,
  releaseEvents,
} from '../../src/lib/events/operations.js';
import {nextDue} from '../../src/lib/events/reading.js';
import type {Store, StoreTarget} from '../../src/lib/store/index.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import * as op from './operations.js';
import {TIME} from './operations.js';
import {eventually, ok, open, send, startSink, tellOf, tempFolder} from './support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const LEASE = 30_000;

describe.each(['sqlite', 'postgres'] as const)('%s', (engine) => {
  const start = async (): Promise<Store> =>
    open(
      engine === 'sqlite'
        ? {engine, path: join(tempFolder(), 'paynet.db')}
        : {engine, dsn: await postgres.newDatabase()},
    );

  const claim = async (store: Store, now = TIME, limit = 100) =>
    (await store.run(claimEvents, {now, limit, leaseUntil: now + LEASE})).map(({event_id: id}) => id).sort();
  const idOf = async (store: Store, eventId: string) => (await findEvent(store, eventId))?.id ?? Number.NaN;

  /** A store with orders of three events each, told at TIME. */
  async function withOrders(...orders: string[]): Promise<Store> {
    const store = await start();
    for (const orderNo of orders) {
      await store.run(op.createOrder, orderNo);
      await store.run(op.tell, {orderNo, count: 3, at: TIME});
    }
    return store;
  }

  it('numbers the events of an order from 1, also when many are told at once', async () => {
    const store = await start();
    await store.run(op.createOrder, 'A');
    const ids = await Promise.all(Array.from({length: 20}, () => store.run(op.tell, {orderNo: 'A', at: TIME})));
    const expected = Array.from({length: 20}, (_, index) => `A:${index + 1}`);
    expect(ids.flat().sort()).toEqual(expected.toSorted());
    expect((await eventsOfOrder(store, 'A', 0, 100)).map(({event_id: id}) => id)).toEqual(expected);
    expect((await eventsOfOrder(store, 'A', 18, 100)).map(({sequence}) => sequence)).toEqual([19, 20]);
  });

  it('adds nothing when the operation fails, and leaves no gap', async () => {
    const store = await withOrders('A');
    await expect(store.run(op.tellAndRefuse, 'A')).rejects.toThrow('no');
    await expect(store.run(op.tell, {orderNo: 'B', at: TIME})).rejects.toMatchObject({code: 'EVENT_ORDER_UNKNOWN'});
    expect(await store.run(op.tell, {orderNo: 'A', at: TIME})).toEqual(['A:4']);
  });

  it('keeps an event without order once', async () => {
    const store = await start();
    const told = {eventId: 'device.alarm:D1:1', at: TIME};
    expect(await store.run(op.tellOfDevice, told)).toBe(true);
    expect(await store.run(op.tellOfDevice, told)).toBe(false);
    expect(await countEvents(store)).toEqual({waiting: 1, oldestWaitingAt: TIME, dead: 0});
  });

  it('hands out one event per order, and nobody gets it a second time before the lease ends', async () => {
    const store = await withOrders('A', 'B');
    await store.run(op.tellOfDevice, {eventId: 'x', at: TIME});
    expect(await claim(store)).toEqual(['A:1', 'B:1', 'x']);
    expect(await claim(store)).toEqual([]);
    expect(await claim(store, TIME + LEASE - 1)).toEqual([]);
    expect(await claim(store, TIME + LEASE)).toEqual(['A:1', 'B:1', 'x']);
  });

  it('hands out what is new at once, also when the clock was set back since it was told', async () => {
    const store = await withOrders('A');
    await store.run(op.tellOfDevice, {eventId: 'x', at: TIME});
    expect(await claim(store, TIME - 2 * 3_600_000)).toEqual(['A:1', 'x']);
  });

  it('hands each event to one of many that ask at once', async () => {
    const store = await start();
    for (let number = 0; number < 40; number += 1) {
      await store.run(op.tellOfDevice, {eventId: `x${number}`, at: TIME});
    }
    const claims = await Promise.all(Array.from({length: 8}, () => claim(store, TIME, 10)));
    const taken = claims.flat();
    expect(new Set(taken).size).toBe(taken.length);
    expect([...taken, ...(await claim(store))]).toHaveLength(40);
  });

  it('hands out the next of an order when the one before was accepted or given up', async () => {
    const store = await withOrders('A');
    await claim(store);
    await store.run(eventPushed, {id: await idOf(store, 'A:1'), at: TIME});
    expect(await claim(store)).toEqual(['A:2']);
    await store.run(eventDead, {id: await idOf(store, 'A:2'), at: TIME, error: 'HTTP 410'});
    expect(await claim(store)).toEqual(['A:3']);
    expect(await findEvent(store, 'A:1')).toMatchObject({state: 'pushed', attempts: 1, pushed_at: TIME, error: null});
    expect(await findEvent(store, 'A:2')).toMatchObject({state: 'dead', attempts: 1, error: 'HTTP 410'});
  });

  it('holds the later ones back as long as the earlier one, and lets them go with it', async () => {
    const store = await withOrders('A');
    await claim(store);
    const id = await idOf(store, 'A:1');
    await store.run(eventFailed, {id, nextAttemptAt: TIME + 60_000, error: 'HTTP 500'});
    expect(await nextDue(store, TIME)).toBe(TIME + 60_000);
    expect(await claim(store, TIME + 59_999)).toEqual([]);
    expect(await claim(store, TIME + 60_000)).toEqual(['A:1']);
    await store.run(eventPushed, {id, at: TIME + 1});
    expect(await claim(store, TIME + 1)).toEqual(['A:2']);
  });

  it('notes nothing of an event that is over', async () => {
    const store = await withOrders('A');
    const id = await idOf(store, 'A:1');
    await store.run(eventPushed, {id, at: TIME});
    await store.run(eventFailed, {id, nextAttemptAt: TIME, error: 'late'});
    await store.run(eventDead, {id, at: TIME, error: 'late'});
    await store.run(releaseEvents, {ids: [id], leaseUntil: TIME, at: TIME});
    expect(await findEvent(store, 'A:1')).toMatchObject({state: 'pushed', attempts: 1, error: null});
  });

  it('takes back only what is still leased', async () => {
    const store = await withOrders('A', 'B');
    await claim(store);
    const [a, b] = [await idOf(store, 'A:1'), await idOf(store, 'B:1')];
    await store.run(eventFailed, {id: b, nextAttemptAt: TIME + 60_000, error: 'HTTP 500'});
    await store.run(releaseEvents, {ids: [a, b], leaseUntil: TIME + LEASE, at: TIME});
    expect(await claim(store)).toEqual(['A:1']);
  });

  it('ends long waits, part by part, and leaves leases alone', async () => {
    const store = await withOrders('A', 'B', 'C');
    for (const orderNo of ['A', 'B']) {
      const id = await idOf(store, `${orderNo}:1`);
      await store.run(eventFailed, {id, nextAttemptAt: TIME + 3_600_000, error: 'HTTP 500'});
    }
    expect(await claim(store)).toEqual(['C:1']);
    const hasten = () => store.run(hastenEvents, {now: TIME, after: TIME + LEASE, limit: 4});
    expect([await hasten(), await hasten(), await hasten()]).toEqual([4, 2, 0]);
    expect(await claim(store)).toEqual(['A:1', 'B:1']);
  });

  it('replays more dead events than fit a transaction', async () => {
    const store = await start();
    await store.run(op.createOrder, 'A');
    await store.run(op.tell, {orderNo: 'A', count: 501, at: TIME});
    for (const {id} of await eventsOfOrder(store, 'A', 0, 501)) {
      await store.run(eventDead, {id, at: TIME, error: 'HTTP 410'});
    }
    expect((await countEvents(store)).dead).toBe(501);
    expect(await replayDead(store, TIME + 5)).toBe(501);
    expect(await countEvents(store)).toEqual({waiting: 501, oldestWaitingAt: TIME, dead: 0});
    expect(await claim(store, TIME + 5)).toEqual(['A:1']);
  });

  it('replays several events, all or none', async () => {
    const store = await withOrders('A');
    for (const id of ['A:1', 'A:2'])
      await store.run(eventDead, {id: await idOf(store, id), at: TIME, error: 'HTTP 410'});
    const none = store.run(replayEvents, {eventIds: ['A:1', 'A:9'], at: TIME});
    await expect(none).rejects.toMatchObject({code: 'EVENT_NOT_FOUND'});
    expect((await countEvents(store)).dead).toBe(2);
    await store.run(replayEvents, {eventIds: ['A:1', 'A:2', 'A:3'], at: TIME});
    expect((await countEvents(store)).dead).toBe(0);
  });

  it('lists by every filter, the latest first, page by page', async () => {
    const store = await withOrders('A', 'B');
    await store.run(op.tellOfDevice, {eventId: 'x', at: TIME});
    await store.run(eventDead, {id: await idOf(store, 'A:1'), at: TIME, error: 'HTTP 410'});
    const list = async (filter: EventFilter, limit = 10, offset = 0) =>
      (await eventListing.page(store, filter, {limit, offset})).map(({event_id: id}) => id);
    expect(await list({})).toEqual(['x', 'B:3', 'B:2', 'B:1', 'A:3', 'A:2', 'A:1']);
    expect(await list({}, 2)).toEqual(['x', 'B:3']);
    expect(await list({}, 2, 2)).toEqual(['B:2', 'B:1']);
    expect(await eventListing.count(store, {})).toBe(7);
    expect(await eventListing.count(store, {state: 'waiting', orderNo: 'A'})).toBe(2);
    expect(await list({state: 'dead'})).toEqual(['A:1']);
    expect(await list({state: 'waiting', orderNo: 'A'})).toEqual(['A:3', 'A:2']);
    expect(await list({type: 'device.alarm', deviceId: 'D1'})).toEqual(['x']);
    expect(await list({deviceId: 'D2'})).toEqual([]);
  });

  it('looks for what is due in an index, and for what comes before it in another', async () => {
    const target: StoreTarget =
      engine === 'sqlite'
        ? {engine, path: join(tempFolder(), 'paynet.db')}
        : {engine, dsn: await postgres.newDatabase()};
    await open(target);
    const plan = (await explain(target, dueEvents, {now: TIME, limit: 16})).join('\n');
    expect(plan).toContain('events_due');
    // PostgreSQL chooses by the sizes of the tables: for an empty one every index is as good.
    if (engine === 'sqlite') expect(plan).toMatch(/sqlite_autoindex_events_2 \(order_no=\? AND sequence<\?\)/);
    expect(plan).not.toMatch(/SCAN|Seq Scan|TEMP B-TREE|Sort/);
  });

  it('is emptied in order by a sender', async () => {
    const store = await start();
    const orders = Array.from({length: 10}, (_, index) => `N${index}`);
    await tellOf(store, orders, 3);
    const sink = await startSink(ok);
    send(store, sink.url);
    await eventually(async () => (await countEvents(store)).waiting === 0);
    expect(sink.ids).toHaveLength(30);
    for (const orderNo of orders) {
      expect(sink.ids.filter((id) => id.startsWith(`${orderNo}:`))).toEqual([1, 2, 3].map((n) => `${orderNo}:${n}`));
    }
  });
});
