import type {ApiPorts, Change, DeviceInfo, NewCoinOrder, OrderInfo} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';

export const NOW = 1_762_863_000_000;

export const ORDER: OrderInfo = {
  orderNo: 'THD1762863000001',
  deviceId: 'PB-0001',
  kind: 'coin',
  status: 'created',
  coins: 3,
  timeoutSeconds: 60,
  progress: 0,
  error: null,
  attempts: 0,
  createdAt: NOW,
  updatedAt: NOW,
  endedAt: null,
};

export const DEVICE: DeviceInfo = {
  deviceId: 'PB-0001',
  online: true,
  score: 100,
  protocol: 'paynet',
  model: null,
  firmware: null,
  registeredAt: NOW,
  lastSeenAt: NOW,
};

/** Ports over literal data, which keep what was asked of them. */
export function literalPorts(): ApiPorts & {
  asked: unknown[][];
  orderBook: Map<string, NewCoinOrder>;
  tell(change: Change): void;
  subscribers: Set<(change: Change) => void>;
} {
  const asked: unknown[][] = [];
  const note =
    (name: string, answer: unknown) =>
    async (...args: unknown[]) => {
      asked.push([name, ...args]);
      return answer as never;
    };
  const orderBook = new Map<string, NewCoinOrder>();
  const subscribers = new Set<(change: Change) => void>();
  const paged = <T>(...items: T[]) => ({items, total: items.length});
  return {
    asked,
    orderBook,
    subscribers,
    tell: (change) => {
      for (const each of subscribers) each(change);
    },
    orders: {
      async createCoin(order) {
        asked.push(['createCoin', order]);
        const known = orderBook.get(order.orderNo);
        const outcome = known === undefined ? 'created' : known.coins === order.coins ? 'same' : 'conflict';
        if (known === undefined) orderBook.set(order.orderNo, order);
        return {outcome, order: {...ORDER, orderNo: order.orderNo, deviceId: order.deviceId, coins: order.coins}};
      },
      get: async (orderNo) => (orderNo === ORDER.orderNo ? ORDER : undefined),
      list: note('list', paged(ORDER)),
      async cancel(orderNo, reason) {
        asked.push(['cancel', orderNo, reason]);
        if (orderNo !== ORDER.orderNo) throw new PaynetError('ORDER_NOT_FOUND', `there is no order ${orderNo}`);
        return ORDER;
      },
      discrepancies: note(
        'discrepancies',
        paged({
          id: 1,
          orderNo: ORDER.orderNo,
          deviceId: 'PB-0001',
          orderStatus: 'failed',
          reported: {someName: 1, endedAt: 5},
          createdAt: NOW,
          resolvedAt: null,
          resolution: null,
        }),
      ),
      resolveDiscrepancy: note('resolve', {
        id: 1,
        orderNo: ORDER.orderNo,
        deviceId: 'PB-0001',
        orderStatus: 'failed',
        reported: null,
        createdAt: NOW,
        resolvedAt: NOW,
        resolution: 'settled',
      }),
    },
    devices: {
      list: note('devices', paged(DEVICE)),
      get: async (deviceId) => (deviceId === DEVICE.deviceId ? DEVICE : undefined),
      kick: note('kick', undefined),
      send: note('send', undefined),
    },
    events: {
      ofOrder: note('ofOrder', []),
      list: note(
        'events',
        paged({
          eventId: 'THD1762863000001:1',
          eventType: 'order.created',
          orderNo: ORDER.orderNo,
          deviceId: 'PB-0001',
          sequenceNo: 1,
          status: 'pushed',
          retryCount: 0,
          createdAt: NOW,
          pushedAt: NOW,
          errorMessage: null,
          data: {orderNo: 'as it is'},
        }),
      ),
      replay: note('replay', undefined),
    },
    queue: {
      dead: note('dead', paged()),
      retry: note('retry', undefined),
      dismiss: note('dismiss', undefined),
      clean: note('clean', 4),
    },
    stats: async () => ({devices: {online: 1}, openOrders: 0}),
    subscribe(changed) {
      subscribers.add(changed);
      return () => subscribers.delete(changed);
    },
  };
}
