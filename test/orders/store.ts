import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {expect, onTestFinished} from 'vitest';
import {CHARGE_OPERATIONS, ORDER_OPERATIONS} from '../../src/lib/orders/index.js';
import {OUTBOUND_OPERATIONS} from '../../src/lib/outbound/index.js';
import {openStore, type Params, prepare, type Store, type StoreTarget} from '../../src/lib/store/index.js';

export const T = 1_795_000_000_000;

/** Where a store of a test's own lies. */
export function sqliteTarget(): StoreTarget {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-orders-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return {engine: 'sqlite', path: join(folder, 'paynet.db')};
}

export async function open(target: StoreTarget = sqliteTarget()): Promise<Store> {
  const log = {info: () => {}, warn: () => {}, error: () => {}};
  const operations = [ORDER_OPERATIONS, CHARGE_OPERATIONS, OUTBOUND_OPERATIONS];
  const store = await openStore(target, {operations, log});
  onTestFinished(() => store.close());
  return store;
}

export const eventsOf = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('events').selectAll().where('order_no', '=', p.orderNo).orderBy('sequence'),
);

export const allOrders = prepare((db) => db.selectFrom('orders').selectAll());

/** The events of an order by type, after a look at their numbers: from 1, without gaps, one for each. */
export async function eventTypes(store: Store, orderNo: string): Promise<string[]> {
  const events = await store.read(eventsOf, {orderNo});
  expect(events.map(({sequence}) => sequence)).toEqual(events.map((_, index) => index + 1));
  expect(events.map(({event_id: id}) => id)).toEqual(events.map((_, index) => `${orderNo}:${index + 1}`));
  return events.map(({type}) => type);
}
