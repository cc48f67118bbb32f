import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import * as orders from '../../src/lib/orders/index.js';
import {commandById} from '../../src/lib/outbound/index.js';
import type {OrderRow, Query, Store, StoreTarget, Value} from '../../src/lib/store/index.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {allOrders, eventsOf, eventTypes, open, sqliteTarget, T} from './store.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const LEASE = {owner: 'server-1', until: T + 30_000};

function coin(orderNo: string, more: Partial<orders.NewCoin> = {}): orders.NewCoin {
  const amounts = {coins: 5, timeoutSeconds: 60, amountCent: 500};
  return {orderNo, deviceId: 'D1', ...amounts, bodyHash: 'hash', keepMs: 600_000, at: T, ...more};
}

type Said = 'accepted' | 'running' | 'done' | 'failed';
const ack = (orderNo: string, state: Said, at = T + 1000, deviceId = 'D1') => ({
  orderNo,
  deviceId,
  state,
  progress: state === 'running' ? 40 : 0,
  error: state === 'failed' ? 'jam' : '',
  at,
});

describe.each(['sqlite', 'postgres'] as const)('coin orders on %s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()};
  const start = async (): Promise<Store> => open(await target());
  const stateOf = async (store: Store, orderNo: string) => (await store.readFirst(orders.orderByNo, {orderNo}))?.state;
  const commandOf = (store: Store, orderNo: string) => store.readFirst(commandById, {id: `coin:${orderNo}`});

  it('stores order, command and event at once, the attempt with them', async () => {
    const store = await start();
    const {outcome, order} = await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    expect([outcome, order.state, order.attempts, order.dueAt]).toEqual(['created', 'sent', 1, T + 60_000]);
    expect(await commandOf(store, 'A')).toMatchObject({
      order_no: 'A',
      kind: 'coin',
      state: 'sent',
      attempts: 1,
      lease_owner: 'server-1',
      lease_until: T + 30_000,
    });
    const events = await store.read(eventsOf, {orderNo: 'A'});
    expect(events.map(({type, data}) => [type, JSON.parse(data)])).toEqual([
      [
        'order.created',
        {
          order_no: 'A',
          coins: 5,
          amount_cent: 500,
          old_status: null,
          new_status: 'sent',
          progress: 0,
          reason: '',
          at: T / 1000,
        },
      ],
    ]);
  });

  it('makes one order of a hundred that come at once, and refuses another content', async () => {
    const store = await start();
    const answers = await Promise.all(
      Array.from({length: 100}, (_, index) =>
        store.run(orders.createCoin, coin('A', index % 2 === 0 ? {lease: LEASE} : {})),
      ),
    );
    expect(answers.filter(({outcome}) => outcome === 'created')).toHaveLength(1);
    expect(answers.filter(({outcome}) => outcome === 'same')).toHaveLength(99);
    expect(new Set(answers.map(({order}) => JSON.stringify(order))).size).toBe(1);
    expect((await store.run(orders.createCoin, coin('A', {bodyHash: 'other', coins: 9}))).outcome).toBe('conflict');
    expect(await eventTypes(store, 'A')).toEqual(['order.created']);
    expect((await store.readFirst(orders.orderByNo, {orderNo: 'A'}))?.coins).toBe(5);
  });

  it.each<[string, Said[], string, string[], number]>([
    ['as it should be', ['accepted', 'running', 'done'], 'done', ['confirmed', 'completed'], 0],
    ['every one twice', ['accepted', 'accepted', 'done', 'done'], 'done', ['confirmed', 'completed'], 0],
    ['only the end', ['done'], 'done', ['completed'], 0],
    ['the end first', ['done', 'running', 'accepted'], 'done', ['completed'], 0],
    ['RUNNING for the first', ['running', 'accepted', 'failed'], 'failed', ['confirmed', 'failed'], 0],
    [
      'DONE, then FAILED',
      ['accepted', 'done', 'failed', 'failed'],
      'done',
      ['confirmed', 'completed', 'discrepancy'],
      1,
    ],
    ['FAILED, then DONE', ['failed', 'done', 'done'], 'failed', ['failed', 'discrepancy'], 1],
    ['FAILED, then both', ['failed', 'running', 'done'], 'failed', ['failed', 'discrepancy', 'discrepancy'], 2],
  ])('takes acks: %s', async (_, acks, state, events, discrepancies) => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    for (const said of acks) await store.run(orders.reportCoin, ack('A', said));
    const row = await store.readFirst(orders.orderByNo, {orderNo: 'A'});
    expect([row?.state, row?.due_at, row?.started_at, row?.ended_at]).toEqual([state, null, T + 1000, T + 1000]);
    expect(await eventTypes(store, 'A')).toEqual(['order.created', ...events.map((type) => `order.${type}`)]);
    expect(await orders.discrepancyListing.page(store, {open: 1}, {limit: 10, offset: 0})).toHaveLength(discrepancies);
    expect(await commandOf(store, 'A')).toMatchObject({state: 'done', lease_owner: null});
  });

  it('writes nothing for an ack of another device, or of no order', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    expect(await store.run(orders.reportCoin, ack('A', 'done', T, 'D2'))).toBeUndefined();
    expect(await store.run(orders.reportCoin, ack('B', 'done'))).toBeUndefined();
    expect([await stateOf(store, 'A'), await eventTypes(store, 'A')]).toEqual(['sent', ['order.created']]);
  });

  it('ends an order in time and not before; a DONE after that is a discrepancy, to be settled once', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    const expire = (at: number) => store.run(orders.expireCoin, {orderNo: 'A', progress: 40, at});
    expect((await expire(T + 59_999))?.change).toBe('unchanged');
    expect(await store.read(orders.dueCoins, {at: T + 59_999, limit: 9})).toEqual([]);
    expect((await store.read(orders.dueCoins, {at: T + 60_000, limit: 9})).length).toBe(1);
    expect(await expire(T + 60_000)).toMatchObject({change: 'changed', order: {state: 'timeout', progress: 40}});
    expect((await expire(T + 60_001))?.change).toBe('unchanged');
    expect((await commandOf(store, 'A'))?.state).toBe('expired');
    const late = await store.run(orders.reportCoin, ack('A', 'done', T + 70_000));
    expect(late).toMatchObject({change: 'discrepancy', order: {state: 'timeout'}});
    expect(await eventTypes(store, 'A')).toEqual(['order.created', 'order.timeout', 'order.discrepancy']);
    const [open] = await orders.discrepancyListing.page(store, {open: 1}, {limit: 10, offset: 0});
    expect(open).toMatchObject({order_no: 'A', order_state: 'timeout', created_at: T + 70_000});
    expect(JSON.parse(open?.reported ?? '')).toMatchObject({state: 'done'});
    const settle = () =>
      store.run(orders.resolveDiscrepancy, {id: open?.id ?? 0, resolution: 'refunded', at: T + 80_000});
    expect([await settle(), await settle()]).toEqual([true, false]);
    expect(await orders.discrepancyListing.page(store, {open: 1}, {limit: 10, offset: 0})).toEqual([]);
  });

  it('lets orders wait and go in their order, and none that has expired', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('old', {keepMs: 1000}));
    for (const [index, orderNo] of ['C', 'A', 'B'].entries()) {
      await store.run(orders.createCoin, coin(orderNo, {at: T + index}));
    }
    await store.run(orders.createCoin, coin('other', {deviceId: 'D2'}));
    const claim = (at: number) => store.run(orders.claimCoin, {deviceId: 'D1', at, owner: 'x', until: at + 30_000});
    const claimed = [await claim(T + 5000), await claim(T + 5001), await claim(T + 5002), await claim(T + 5003)];
    expect(claimed.map((order) => order?.orderNo)).toEqual(['C', 'A', 'B', undefined]);
    expect(claimed[0]).toMatchObject({state: 'sent', attempts: 1, sentAt: T + 5000, dueAt: T + 65_000});
    expect((await store.run(orders.expireCoin, {orderNo: 'old', progress: 0, at: T + 5000}))?.order).toMatchObject({
      state: 'timeout',
      attempts: 0,
    });
  });

  it('sends an order three times at most, then gives it up for a person to see', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    const again = (at: number) => store.run(orders.resendCoin, {orderNo: 'A', at, owner: 'y', until: at + 30_000});
    expect((await again(T + 10_000))?.order.attempts).toBe(2);
    expect((await again(T + 20_000))?.order.attempts).toBe(3);
    expect((await again(T + 30_000))?.order).toMatchObject({state: 'failed', attempts: 3});
    expect((await commandOf(store, 'A'))?.state).toBe('dead');
    expect(await eventTypes(store, 'A')).toEqual(['order.created', 'order.failed']);
  });

  it('never sends an acknowledged order again', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    await store.run(orders.reportCoin, ack('A', 'accepted'));
    const again = await store.run(orders.resendCoin, {orderNo: 'A', at: T + 10_000, owner: 'y', until: T + 40_000});
    expect(again).toMatchObject({change: 'unchanged', order: {state: 'accepted', attempts: 1}});
  });

  it('ends an order that its device has forgotten, as a discrepancy', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    await store.run(orders.reportCoin, ack('A', 'accepted'));
    await store.run(orders.endCoin, {orderNo: 'A', why: 'forgotten', error: '', at: T + 5000});
    expect(await stateOf(store, 'A')).toBe('failed');
    expect(await eventTypes(store, 'A')).toEqual([
      'order.created',
      'order.confirmed',
      'order.failed',
      'order.discrepancy',
    ]);
  });

  it('cancels what was not sent, exactly one of cancel and sending wins', async () => {
    const store = await start();
    const numbers = Array.from({length: 40}, (_, index) => `N${index}`);
    for (const [index, orderNo] of numbers.entries()) {
      await store.run(orders.createCoin, coin(orderNo, {deviceId: orderNo, at: T + index}));
    }
    const results = await Promise.all(
      numbers.map(async (orderNo, index) => {
        const at = T + 1000;
        const cancel = () => store.run(orders.cancelCoin, {orderNo, at});
        const claim = () => store.run(orders.claimCoin, {deviceId: orderNo, at, owner: 'x', until: at + 30_000});
        if (index % 2 === 0) {
          const [cancelled, claimed] = await Promise.all([cancel(), claim()]);
          return [cancelled?.outcome, claimed?.state];
        }
        const [claimed, cancelled] = await Promise.all([claim(), cancel()]);
        return [cancelled?.outcome, claimed?.state];
      }),
    );
    for (const [index, [cancelled, claimed]] of results.entries()) {
      expect([`cancelled ${undefined}`, 'sent sent']).toContain(`${cancelled} ${claimed}`);
      const sent = claimed === 'sent';
      const orderNo = numbers[index] as string;
      expect(await stateOf(store, orderNo)).toBe(sent ? 'sent' : 'cancelled');
      expect(await eventTypes(store, orderNo)).toEqual(sent ? ['order.created'] : ['order.created', 'order.cancelled']);
    }
    expect(await store.run(orders.cancelCoin, {orderNo: 'nobody', at: T})).toBeUndefined();
  });

  it('has for an order whose acks come all at once one end and events without gaps', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('A', {lease: LEASE}));
    const said: Said[] = ['accepted', 'done', 'running', 'failed', 'done', 'accepted'];
    await Promise.all(said.map((state) => store.run(orders.reportCoin, ack('A', state))));
    expect(['done', 'failed']).toContain(await stateOf(store, 'A'));
    const types = await eventTypes(store, 'A');
    expect(types.filter((type) => type === 'order.completed' || type === 'order.failed')).toHaveLength(1);
    expect((await store.read(allOrders)).map(({sequence}) => sequence)).toEqual([types.length]);
  });

  it('answers with what is stored', async () => {
    const store = await start();
    const stored = async (orderNo: string) =>
      orders.recordOf((await store.readFirst(orders.orderByNo, {orderNo})) as OrderRow);
    const kept = await store.run(orders.createCoin, coin('kept'));
    expect(kept.order).toEqual(await stored('kept'));
    const sent = await store.run(orders.createCoin, coin('A', {lease: LEASE, amountCent: null}));
    expect(sent.order).toEqual(await stored('A'));
    for (const state of ['accepted', 'running', 'failed', 'done'] as const) {
      const result = await store.run(orders.reportCoin, ack('A', state));
      expect(result?.order).toEqual(await stored('A'));
    }
    const expired = await store.run(orders.expireCoin, {orderNo: 'kept', progress: 0, at: T + 600_000});
    expect(expired?.order).toEqual(await stored('kept'));
    expect(expired?.order).toMatchObject({state: 'timeout', endReason: 'not_sent', dueAt: null});
  });

  it('lists what is open, and what is of a kind', async () => {
    const store = await start();
    await store.run(orders.createCoin, coin('open', {lease: LEASE}));
    await store.run(orders.createCoin, coin('over', {lease: LEASE}));
    await store.run(orders.reportCoin, ack('over', 'done'));
    const numbers = async (filter: orders.OrderFilter) => {
      const rows = await orders.orderListing.page(store, filter, {limit: 9, offset: 0});
      expect(await orders.orderListing.count(store, filter)).toBe(rows.length);
      return rows.map(({order_no}) => order_no).sort();
    };
    expect(await numbers({})).toEqual(['open', 'over']);
    expect(await numbers({open: 1})).toEqual(['open']);
    expect(await numbers({deviceId: 'D1', open: 1})).toEqual(['open']);
    expect(await numbers({kind: 'coin'})).toEqual(['open', 'over']);
    expect(await numbers({kind: 'charge'})).toEqual([]);
  });

  it.each<[string, Query<never, unknown>, Record<string, Value>, string]>([
    ['the sweep', orders.dueCoins, {at: T, limit: 9}, 'orders_due'],
    [
      "a device's orders",
      orders.orderListing.query({deviceId: 'D'}),
      {deviceId: 'D', limit: 9, offset: 0},
      'orders_device',
    ],
    ["a device's open orders", orders.openCoinsOfDevice, {deviceId: 'D', since: T}, 'orders_open_device'],
    [
      "a device's open orders of both kinds",
      orders.openOrdersOfDevice,
      {deviceId: 'D', limit: 9},
      'orders_open_device',
    ],
    ['all orders', orders.orderListing.query({}), {limit: 9, offset: 0}, 'orders_time'],
    ['the open discrepancies', orders.discrepancyListing.query({open: 1}), {limit: 9, offset: 0}, 'discrepancies_open'],
  ])('answers %s by an index', async (_, query, params, index) => {
    const place = await target();
    await (await open(place)).close();
    const plan = (await explain(place, query, params)).join('\n');
    expect(plan).toMatch(new RegExp(`\\b${index}\\b`));
    expect(plan).not.toMatch(/TEMP B-TREE|Seq Scan|^SCAN orders$/m);
  });
});
