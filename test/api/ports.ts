import type {
  ApiPorts,
  Change,
  DeviceDetails,
  NewChargeOrder,
  NewCoinOrder,
  OrderInfo,
} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';

export const NOW = 1_762_863_000_000;

export const ORDER: OrderInfo = {
  orderNo: 'THD1762863000001',
  deviceId: 'PB-0001',
  kind: 'coin',
  status: 'created',
  statusCode: null,
  portNo: null,
  chargeMode: null,
  amountCent: null,
  coins: 3,
  timeoutSeconds: 60,
  progress: 0,
  energyWh: null,
  durationSeconds: null,
  error: null,
  endReason: null,
  attempts: 0,
  createdAt: NOW,
  sentAt: null,
  startedAt: null,
  updatedAt: NOW,
  endedAt: null,
};

export const CHARGE: OrderInfo = {
  ...ORDER,
  orderNo: 'THD1762863000002',
  deviceId: 'PILE-1',
  kind: 'charge',
  status: 'charging',
  statusCode: 2,
  portNo: 1,
  chargeMode: 1,
  amountCent: 100,
  coins: null,
  timeoutSeconds: null,
  energyWh: 20,
  durationSeconds: 600,
  attempts: 1,
  sentAt: NOW,
  startedAt: NOW + 1000,
};

export const DEVICE: DeviceDetails = {
  deviceId: 'PB-0001',
  online: true,
  score: 100,
  protocol: 'paynet',
  model: null,
  firmware: null,
  registeredAt: NOW,
  lastSeenAt: NOW,
  ports: [],
  activeOrders: [],
};

export const PILE: DeviceDetails = {
  ...DEVICE,
  deviceId: 'PILE-1',
  ports: [
    {portNo: 1, status: 2, powerW: 120.5},
    {portNo: 2, status: 0, powerW: null},
  ],
  activeOrders: [CHARGE],
};

const {ports: _, activeOrders: __, ...LISTED} = DEVICE;
const orders = new Map([ORDER, CHARGE].map((order) => [order.orderNo, order]));

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
  const chargeBook = new Map<string, NewChargeOrder>();
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
      async createCharge(order) {
        asked.push(['createCharge', order]);
        const known = chargeBook.get(order.orderNo);
        const outcome = known === undefined ? 'created' : known.portNo === order.portNo ? 'same' : 'conflict';
        if (known === undefined) chargeBook.set(order.orderNo, order);
        const {orderNo, deviceId, portNo, amountCent} = order;
        const made: OrderInfo = {...CHARGE, orderNo, deviceId, portNo, amountCent, status: 'pending', statusCode: 0};
        return {outcome, order: made, online: true};
      },
      get: async (orderNo) => orders.get(orderNo),
      list: note('list', paged(ORDER)),
      async cancel(orderNo, reason) {
        asked.push(['cancel', orderNo, reason]);
        const order = orders.get(orderNo);
        if (order === undefined) throw new PaynetError('ORDER_NOT_FOUND', `there is no order ${orderNo}`);
        return {order: {...order, status: 'cancelled'}, oldStatus: order.status};
      },
      stop: note('stop', {order: {...CHARGE, status: 'stopping', statusCode: 9}, oldStatus: 'charging'}),
      stopPort: note('stopPort', {order: {...CHARGE, status: 'stopping', statusCode: 9}, oldStatus: 'charging'}),
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
      list: note('devices', paged(LISTED)),
      get: async (deviceId) => [DEVICE, PILE].find((each) => each.deviceId === deviceId),
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
      waiting: note(
        'waiting',
        paged({
          id: 'c-18',
          deviceId: 'PB-0001',
          orderNo: ORDER.orderNo,
          kind: 'coin',
          status: 'sent',
          attempts: 1,
          lastError: null,
          createdAt: NOW,
          updatedAt: NOW,
          priority: 2,
          expiresAt: NOW + 60_000,
        }),
      ),
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
