import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
  createCharge,
  createCoin,
  discrepancyListing,
  orderListing,
  reportCoin,
  resolveDiscrepancy,
} from '../../src/lib/orders/index.js';
import type {Store, StoreTarget} from '../../src/lib/store/index.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {open, sqliteTarget} from './store.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const COIN = {coins: 1, timeoutSeconds: 60, amountCent: null, bodyHash: 'h', keepMs: 60_000};
const CHARGE = {mode: {by: 'full'}, amountCent: 100, pricePerKwhCent: null, serviceFeePermille: null} as const;
const ALL = {limit: 10, offset: 0};

/** Three orders: one coin order that has ended and is contradicted, one that is open, and a charging order. */
async function filled(target: StoreTarget): Promise<Store> {
  const store = await open(target);
  await store.run(createCoin, {...COIN, orderNo: 'A', deviceId: 'D1', at: 1});
  await store.run(createCoin, {...COIN, orderNo: 'B', deviceId: 'D1', at: 2});
  await store.run(createCharge, {...CHARGE, orderNo: 'C', deviceId: 'D2', portNo: 1, bodyHash: 'h', at: 3});
  const said = {orderNo: 'A', deviceId: 'D1', progress: 100, error: ''};
  await store.run(reportCoin, {...said, state: 'done', at: 4});
  await store.run(reportCoin, {...said, state: 'failed', at: 5});
  return store;
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()};

  it('lists and counts orders by each of what is given, the latest first', async () => {
    const store = await filled(await target());
    const list = async (filter: Parameters<typeof orderListing.page>[1], range = ALL) => {
      const numbers = (await orderListing.page(store, filter, range)).map(({order_no: orderNo}) => orderNo);
      if (range === ALL) expect(await orderListing.count(store, filter)).toBe(numbers.length);
      return numbers.join('');
    };
    expect(await list({})).toBe('CBA');
    expect(await list({}, {limit: 1, offset: 1})).toBe('B');
    expect(await list({kind: 'coin'})).toBe('BA');
    expect(await list({kind: 'charge'})).toBe('C');
    expect(await list({open: 1})).toBe('CB');
    expect(await list({open: 1, kind: 'coin', deviceId: 'D1'})).toBe('B');
    expect(await list({deviceId: 'D2'})).toBe('C');
    expect(await list({state: 'done'})).toBe('A');
    expect(await list({state: 'done', deviceId: 'D2'})).toBe('');
    expect(await list({deviceId: undefined, state: undefined})).toBe('CBA');
  });

  it('lists discrepancies by whether somebody has settled them', async () => {
    const store = await filled(await target());
    const count = (filter: Parameters<typeof discrepancyListing.count>[1]) => discrepancyListing.count(store, filter);
    expect([await count({}), await count({open: 1}), await count({settled: 1})]).toEqual([1, 1, 0]);
    const [row] = await discrepancyListing.page(store, {open: 1}, ALL);
    await store.run(resolveDiscrepancy, {id: row?.id ?? 0, resolution: 'counted', at: 6});
    expect([await count({}), await count({open: 1}), await count({settled: 1})]).toEqual([1, 0, 1]);
  });
});
