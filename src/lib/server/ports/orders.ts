import type {DiscrepancyInfo, OrdersPort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import {
  activeChargeOfPort,
  type ChargeRecord,
  discrepancyById,
  discrepancyListing,
  orderListing,
  resolveDiscrepancy,
} from '../../orders/index.js';
import type {DiscrepancyRow, Store} from '../../store/index.js';
import type {Business} from '../business.js';
import {chargeInfo, coinInfo, orderInfo} from './order-info.js';
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
  const {coins, charging} = business;
  const {charges} = charging;

  async function chargeOf(orderNo: string): Promise<ChargeRecord> {
    const found = await charges.get(orderNo);
    if (found === undefined) throw new PaynetError('ORDER_NOT_FOUND', `there is no order ${orderNo}`);
    return found;
  }

  return {
    async createCoin({orderNo, deviceId, coins: count, timeoutSeconds, keepSeconds: asked}) {
      const keep = asked ?? keepSeconds;
      const request = {orderNo, deviceId, coins: count, timeoutSeconds, ...(keep > 0 && {keepSeconds: keep})};
      const {outcome, order} = await business.place(request);
      return {outcome, order: coinInfo(order)};
    },
    async createCharge(order) {
      const {outcome, order: made} = await business.placeCharge(order);
      return {outcome, order: chargeInfo(made), online: business.devices.isOnline(order.deviceId)};
    },
    async get(orderNo) {
      const coin = await coins.get(orderNo);
      if (coin !== undefined) return coinInfo(coin);
      const charge = await charges.get(orderNo);
      return charge && chargeInfo(charge);
    },
    async list({deviceId, status, kind, ...page}) {
      const filter = {deviceId, state: status, kind};
      const [rows, total] = await Promise.all([
        orderListing.page(store, filter, rangeOf(page)),
        orderListing.count(store, filter),
      ]);
      return {items: rows.map(orderInfo), total};
    },
    async cancel(orderNo) {
      const coin = await coins.get(orderNo);
      if (coin !== undefined) return {order: coinInfo(await coins.cancel(orderNo)), oldStatus: coin.state};
      const {state: oldStatus} = await chargeOf(orderNo);
      return {order: chargeInfo(await charges.cancel(orderNo)), oldStatus};
    },
    async stop(orderNo) {
      if ((await coins.get(orderNo)) !== undefined) {
        throw new PaynetError('COMMAND_UNSUPPORTED', `order ${orderNo} gives out coins: it cannot be stopped`);
      }
      const {state: oldStatus} = await chargeOf(orderNo);
      return {order: chargeInfo(await charges.stopOrder(orderNo)), oldStatus};
    },
    async stopPort(deviceId, portNo, orderNo) {
      const row = await store.readFirst(activeChargeOfPort, {deviceId, portNo});
      const order = await charges.stopPort(deviceId, portNo, orderNo);
      return {order: chargeInfo(order), oldStatus: row?.order_no === order.orderNo ? row.state : order.state};
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
