import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {Store, StoreTarget} from '../../src/lib/store/index.js';
import * as op from './operations.js';
import {startPostgres, type TestPostgres} from './postgres.js';
import {open, tempFolder} from './support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const numbers = (count: number): string[] => Array.from({length: count}, (_, index) => `N${index}`);

describe.each(['sqlite', 'postgres'] as const)('%s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? {engine, path: join(tempFolder(), 'paynet.db')} : {engine, dsn: await postgres.newDatabase()};
  const start = async (): Promise<Store> => open(await target());
  const countIn = async (store: Store): Promise<number | undefined> => (await store.readFirst(op.countOrders))?.count;

  it('writes what an operation writes, and reads it back whole', async () => {
    const store = await start();
    expect(await store.run(op.create, {orderNo: 'A', deviceId: '设备 1', at: op.TIME})).toBe('A');
    expect(await store.readFirst(op.orderByNo, {orderNo: 'A'})).toEqual({
      order_no: 'A',
      kind: 'coin',
      device_id: '设备 1',
      port_no: null,
      state: 'CREATED',
      body_hash: 'hash',
      coins: null,
      timeout_s: null,
      charge: null,
      amount_cent: null,
      progress: 0,
      error: null,
      end_reason: null,
      energy_wh: null,
      duration_s: null,
      attempts: 0,
      sequence: 0,
      sent_at: null,
      started_at: null,
      ended_at: null,
      due_at: null,
      created_at: op.TIME,
      updated_at: op.TIME,
    });
    expect(await store.run(op.find, 'A')).toEqual(await store.readFirst(op.orderByNo, {orderNo: 'A'}));
    expect(await store.readFirst(op.orderByNo, {orderNo: 'B'})).toBeUndefined();
  });

  it('takes what an attacker writes for a value and nothing else', async () => {
    const store = await start();
    const orderNo = `'; drop table orders; -- " \\ $1 ?`;
    await store.run(op.create, {orderNo});
    expect((await store.readFirst(op.orderByNo, {orderNo}))?.order_no).toBe(orderNo);
  });

  it('shows every write that has been answered', async () => {
    const store = await start();
    for (const orderNo of numbers(50)) {
      await store.run(op.create, {orderNo});
      expect(await store.readFirst(op.orderByNo, {orderNo})).toBeDefined();
    }
  });

  it('carries out a thousand writes that come at once', async () => {
    const store = await start();
    const all = numbers(1000);
    expect(await Promise.all(all.map((orderNo) => store.run(op.create, {orderNo})))).toEqual(all);
    expect(await countIn(store)).toBe(1000);
    expect(store.figures.operations).toBe(1000);
  });

  it('undoes the operations that fail, and only them', async () => {
    const store = await start();
    const outcomes = await Promise.allSettled(
      numbers(60).map((orderNo, index) => {
        if (index % 3 === 0) return store.run(op.createAndRefuse, orderNo);
        return index % 3 === 1 ? store.run(op.create, {orderNo}) : store.run(op.swallow, orderNo);
      }),
    );
    for (const [index, outcome] of outcomes.entries()) {
      expect(outcome.status, String(index)).toBe(index % 3 === 1 ? 'fulfilled' : 'rejected');
    }
    expect(await countIn(store)).toBe(20);
  });

  it('gives back the error of an operation with its code, hint and exit code', async () => {
    const store = await start();
    await expect(store.run(op.createAndRefuse, 'A')).rejects.toMatchObject({
      name: 'PaynetError',
      code: 'TEST_REFUSED',
      message: 'not this one',
      hint: 'take another',
      exitCode: 7,
    });
    await expect(store.run(op.crash, 'A')).rejects.toThrow('x is not a function');
    expect(await countIn(store)).toBe(0);
  });

  it('lets nothing happen in a transaction after a statement has failed, whatever the operation says', async () => {
    const store = await start();
    await expect(store.run(op.swallow, 'A')).rejects.toMatchObject({code: 'STORE_CONFLICT'});
    expect(await countIn(store)).toBe(0);
  });

  it('keeps one row per key, and says which key it was', async () => {
    const store = await start();
    await store.run(op.create, {orderNo: 'A'});
    await expect(store.run(op.create, {orderNo: 'A'})).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
      message: 'there is a row with this orders.order_no already',
    });
    expect(await store.run(op.createOnce, 'A')).toBe(0);
    expect(await store.run(op.createOnce, 'B')).toBe(1);
  });

  it('creates one order when a hundred ask for the same at once', async () => {
    const store = await start();
    const written = await Promise.all(numbers(100).map(() => store.run(op.createOnce, 'A')));
    expect(written.filter((rows) => rows === 1)).toHaveLength(1);
    expect(await countIn(store)).toBe(1);
  });

  it('has one active charging order per port, and any number of ended ones', async () => {
    const store = await start();
    await store.run(op.createCharge, {orderNo: 'A', state: 'completed'});
    await store.run(op.createCharge, {orderNo: 'B', state: 'charging'});
    await store.run(op.createCharge, {orderNo: 'C', state: 'failed'});
    for (const state of ['pending', 'confirmed', 'charging', 'cancelling', 'stopping', 'interrupted']) {
      await expect(store.run(op.createCharge, {orderNo: 'D', state}), state).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
        message: 'there is a row with this orders.device_id, orders.port_no already',
      });
    }
  });

  it('numbers the events of an order without doubles, and those of no order freely', async () => {
    const store = await start();
    const first = await store.run(op.createEvent, {eventId: 'A:1', orderNo: 'A', sequence: 1});
    const second = await store.run(op.createEvent, {eventId: 'A:2', orderNo: 'A', sequence: 2});
    expect(second).toBeGreaterThan(first ?? Number.NaN);
    await expect(store.run(op.createEvent, {eventId: 'x', orderNo: 'A', sequence: 2})).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    await store.run(op.createEvent, {eventId: 'y', orderNo: null, sequence: null});
    await store.run(op.createEvent, {eventId: 'z', orderNo: null, sequence: null});
  });

  it('lets two that change the same row see each other', async () => {
    const store = await start();
    await store.run(op.create, {orderNo: 'A'});
    const seen = await Promise.all(numbers(50).map(() => store.run(op.count, 'A')));
    expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({length: 50}, (_, index) => index + 1));
    expect((await store.readFirst(op.orderByNo, {orderNo: 'A'}))?.progress).toBe(50);
  });

  it('survives operations that lock the same rows in opposite order', async () => {
    const store = await start();
    await store.run(op.create, {orderNo: 'A'});
    await store.run(op.create, {orderNo: 'B'});
    await Promise.all([store.run(op.countBoth, ['A', 'B']), store.run(op.countBoth, ['B', 'A'])]);
    expect((await store.readFirst(op.orderByNo, {orderNo: 'A'}))?.progress).toBe(2);
    expect((await store.readFirst(op.orderByNo, {orderNo: 'B'}))?.progress).toBe(2);
  });

  it('refuses values that are none, or not of their column', async () => {
    const store = await start();
    await expect(store.readFirst(op.orderByNo, {} as {orderNo: string})).rejects.toThrow(
      'the parameter "orderNo" of a query is missing',
    );
    await store.run(op.create, {orderNo: 'A'});
    for (const at of [1.5, 'soon' as unknown as number, null as unknown as number]) {
      await expect(store.run(op.create, {orderNo: 'B', at}), String(at)).rejects.toMatchObject({code: 'STORE_REFUSED'});
    }
  });

  it('refuses an operation that no module of it defines', async () => {
    const store = await start();
    const stranger = {...op.create, name: 'test.stranger'};
    await expect(store.run(stranger, {orderNo: 'A'})).rejects.toMatchObject({code: 'STORE_OPERATIONS'});
  });

  it('opens again what it has written, and changes nothing in it', async () => {
    const place = await target();
    const first = await open(place);
    await first.run(op.create, {orderNo: 'A'});
    await first.close();
    const second = await open(place);
    expect(await second.readFirst(op.orderByNo, {orderNo: 'A'})).toBeDefined();
    expect(second.ready).toBe(true);
  });

  it('answers everything that was asked for before it closes, and nothing after', async () => {
    const place = await target();
    const store = await open(place);
    const written = numbers(100).map((orderNo) => store.run(op.create, {orderNo}));
    const closed = store.close();
    await expect(store.run(op.create, {orderNo: 'late'})).rejects.toMatchObject({code: 'STORE_CLOSED'});
    await expect(store.read(op.countOrders)).rejects.toMatchObject({code: 'STORE_CLOSED'});
    await Promise.all(written);
    await closed;
    await store.close();
    expect(store.ready).toBe(false);
    expect(await countIn(await open(place))).toBe(100);
  });
});
