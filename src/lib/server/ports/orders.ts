import type {DiscrepancyInfo, OrderInfo, OrdersPort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import {
  type CoinRecord,
  discrepancyById,
  discrepancyListing,
  orderListing,
  recordOf,
  resolveDiscrepancy,
} from '../../orders/index.js';
import type {DiscrepancyRow, Store} from '../../store/index.js';
import type {Business} from '../business.js';
import {rangeOf} from './page.js';

export interface OrdersPortOptions {
  store: Store;
  business: Business;
  /** Seconds that an order is kept for an offline device when it does not say so itself; 0 refuses it. */
  keepSeconds: number;
  now: () => number;
}

/** Orders as the HTTP interface has them. */
export function ordersPort({store, business, keepSeconds, now}: OrdersPortOptions): OrdersPort {
  const {coins} = business;
  return {
    async createCoin({orderNo, deviceId, coins: count, timeoutSeconds, keepSeconds: asked}) {
      const keep = asked ?? keepSeconds;
      const request = {orderNo, deviceId, coins: count, timeoutSeconds, ...(keep > 0 && {keepSeconds: keep})};
      const {outcome, order} = await business.place(request);
      return {outcome, order: coinInfo(order)};
    },
    async get(orderNo) {
      const order = await coins.get(orderNo);
      return order && coinInfo(order);
    },
    async list({deviceId, status, ...page}) {
      const filter = {deviceId, state: status};
      const [rows, total] = await Promise.all([
        orderListing.page(store, filter, rangeOf(page)),
        orderListing.count(store, filter),
      ]);
      return {items: rows.map((row) => coinInfo(recordOf(row))), total};
    },
    async cancel(orderNo) {
      return coinInfo(await coins.cancel(orderNo));
    },
    async discrepancies({resolved, ...page}) {
      const filter = resolved === undefined ? {} : resolved ? {settled: 1} : {open: 1};
      const [rows, total] = await Promise.all([
        discrepancyListing.page(store, filter, rangeOf(page)),
        discrepancyListing.count(store, filter),
      ]);
      return {items: rows.map(discrepancyInfo), total};
    },
    async resolveDiscrepancy(id, text) {
      const settled = await store.run(resolveDiscrepancy, {id, resolution: text, at: now()});
      const row = await store.readFirst(discrepancyById, {id});
      if (settled && row !== undefined) return discrepancyInfo(row);
      // What the first person wrote stays.
      const why = row === undefined ? `there is no discrepancy ${id}` : `discrepancy ${id} was settled before`;
      throw new PaynetError('DISCREPANCY_NOT_FOUND', why);
    },
  };
}

/** A coin order in the words of the interface. */
export function coinInfo(order: CoinRecord): OrderInfo {
  const {orderNo, deviceId, state, coins, timeoutSeconds, progress, error, attempts} = order;
  const {createdAt, updatedAt, endedAt} = order;
  return {
    orderNo,
    deviceId,
    kind: 'coin',
    status: state,
    coins,
    timeoutSeconds,
    progress,
    error: error === '' ? null : error,
    attempts,
    createdAt,
    updatedAt,
    endedAt,
  };
}

function discrepancyInfo(row: DiscrepancyRow): DiscrepancyInfo {
  return {
    id: row.id,
    orderNo: row.order_no,
    deviceId: row.device_id,
    orderStatus: row.order_state,
    reported: JSON.parse(row.reported),
    createdAt: row.created_at,
    resolvedAt: row.resolved_at,
    resolution: row.resolution,
  };
}
