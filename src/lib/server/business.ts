import {randomUUID} from 'node:crypto';
import type {Idempotency} from '../cluster/index.js';
import {PaynetError} from '../errors.js';
import type {EventSender} from '../events/index.js';
import type {DeviceEvent, Gateway, OrderView} from '../link/index.js';
import {type Log, type Metrics, printable} from '../observe/index.js';
import {type CoinNews, type CoinOrderRequest, CoinOrders, type CoinRecord, isOver} from '../orders/index.js';
import type {Store} from '../store/index.js';
import type {Changes} from './changes.js';
import {coinPort} from './coin-port.js';
import {coinInfo} from './ports/orders.js';
import {createOrderWaiters} from './waiting.js';

export interface BusinessOptions {
  store: Store;
  gateway: Gateway;
  /** Shared by several servers with databases of their own; undefined when the store alone decides. */
  idempotency: Idempotency | undefined;
  metrics: Metrics;
  log: Log;
  changes: Changes;
  /** What happened to an order, for the program around the server. */
  tell(news: CoinNews): void;
}

/** Between the HTTP side and the device side: orders, and what devices say of them. */
export interface Business {
  readonly coins: CoinOrders;
  /** Webhooks are sent by it, once there is one. */
  sender: EventSender | undefined;
  isOnline(deviceId: string): boolean;
  /** Places an order; resolves when it is stored. */
  place(request: CoinOrderRequest): Promise<{outcome: 'created' | 'same'; order: CoinRecord}>;
  /** Places an order; resolves with its final state. Rejects with SERVER_STOPPED when it is open at the end. */
  payOut(request: CoinOrderRequest): Promise<CoinRecord>;
  /** Takes what happens at a device; a promise holds the device's next message back. */
  happened(event: DeviceEvent): void | Promise<void>;
  /** What is known of an order, for its device. */
  view(deviceId: string, orderNo: string): Promise<OrderView | undefined>;
  start(): void;
  stop(): Promise<void>;
}

export function createBusiness(options: BusinessOptions): Business {
  const {store, gateway, idempotency, metrics, log, changes, tell} = options;
  const waiters = createOrderWaiters();
  const isOnline = (deviceId: string): boolean => gateway.devices.get(deviceId) !== undefined;

  const coins = new CoinOrders({
    store,
    port: coinPort(gateway, isOnline),
    wheel: gateway.wheel,
    owner: randomUUID(),
    tell: moved,
    log,
  });

  function moved(news: CoinNews): void {
    const {kind, order} = news;
    business.sender?.wake();
    if (kind === 'finished') {
      metrics.counters.command('coin', order.state === 'done' ? 'done' : 'failed');
      waiters.finished(order);
    } else if (kind === 'discrepancy') {
      const {orderNo, deviceId, state} = order;
      const fields = {
        orderNo: printable(orderNo),
        deviceId: printable(deviceId),
        state,
        reported: news.reported?.state,
      };
      log.warn(fields, 'a device contradicts an order');
    }
    changes.tell(() => ({kind: 'order', data: coinInfo(order)}));
    tell(news);
  }

  async function place(request: CoinOrderRequest): ReturnType<Business['place']> {
    const {orderNo, deviceId, coins: count, timeoutSeconds} = request;
    const content = JSON.stringify([deviceId, count, timeoutSeconds]);
    if ((await idempotency?.claim(`order:${orderNo}`, content)) === 'other') {
      throw new PaynetError('ORDER_CONFLICT', `order ${orderNo} exists with another content`, {
        hint: 'Use a new order number for a new order.',
      });
    }
    return coins.create(request);
  }

  const business: Business = {
    coins,
    sender: undefined,
    isOnline,
    place,

    async payOut(request) {
      const {ended, forget} = waiters.wait(request.orderNo);
      try {
        const {order} = await place(request);
        return isOver(order) ? order : await ended;
      } finally {
        forget();
      }
    },

    happened(event) {
      if (event.kind === 'commandAck') return coins.reported(event.deviceId, event.orderId, event);
      if (event.kind === 'loggedIn') coins.online(event.deviceId);
      return undefined;
    },

    async view(deviceId, orderNo) {
      const order = await coins.get(orderNo);
      if (order === undefined || order.deviceId !== deviceId) return undefined;
      const {state, progress, error} = order;
      if (state === 'created' || state === 'sent') return undefined;
      return {state: state === 'cancelled' || state === 'timeout' ? 'failed' : state, progress, error};
    },

    start: () => coins.start(),

    async stop() {
      await coins.stop();
      waiters.close();
      await business.sender?.stop();
    },
  };
  return business;
}
