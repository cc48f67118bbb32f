import {randomUUID} from 'node:crypto';
import type {Change} from '../api/index.js';
import type {Idempotency} from '../cluster/index.js';
import type {Config} from '../config/index.js';
import {createDevices, type Devices} from '../devices/index.js';
import {PaynetError} from '../errors.js';
import type {EventSender} from '../events/index.js';
import type {GuardedHooks, HookAnswer} from '../hooks/index.js';
import type {DeviceEvent, Gateway, OrderView} from '../link/index.js';
import {type Log, type Metrics, printable} from '../observe/index.js';
import {
  type ChargePlaced,
  type ChargeRequest,
  type CoinNews,
  type CoinOrderRequest,
  CoinOrders,
  type CoinRecord,
  isOver,
} from '../orders/index.js';
import type {Store} from '../store/index.js';
import type {Changes} from './changes.js';
import {type Charging, createCharging} from './charging.js';
import {coinPort} from './coin-port.js';
import {chargeInfo, coinInfo} from './ports/order-info.js';
import {createOrderWaiters} from './waiting.js';

export interface BusinessOptions {
  session: Config['session'];
  store: Store;
  gateway: Gateway;
  /** Decisions of the project about orders. */
  hooks: GuardedHooks | undefined;
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
  readonly charging: Charging;
  readonly devices: Devices;
  /** Webhooks are sent by it, once there is one. */
  sender: EventSender | undefined;
  /** Places an order; resolves when it is stored. */
  place(request: CoinOrderRequest): Promise<{outcome: 'created' | 'same'; order: CoinRecord}>;
  /** Places a charging order; resolves when it is stored. */
  placeCharge(request: ChargeRequest): Promise<ChargePlaced>;
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
  const {session, store, gateway, hooks, idempotency, metrics, log, changes, tell} = options;
  const waiters = createOrderWaiters();
  const overrides: Readonly<Record<string, number | undefined>> = session.timeout_override;
  const devices = createDevices({
    store,
    online: gateway.devices,
    session: {timeoutMs: (protocol) => overrides[protocol] ?? session.timeout, freshness: session.freshness},
    wheel: gateway.wheel,
    log,
    eventsStored: () => business.sender?.wake(),
  });

  const coins = new CoinOrders({
    store,
    port: coinPort(gateway, devices.isOnline),
    wheel: gateway.wheel,
    owner: randomUUID(),
    tell: moved,
    ackTimedOut: devices.ackTimedOut,
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

  const charging = createCharging({
    store,
    gateway,
    isOnline: devices.isOnline,
    ackTimedOut: devices.ackTimedOut,
    metrics,
    log,
    tell({kind, order, watts, reported}) {
      if (kind !== 'progressed') business.sender?.wake();
      if (kind === 'discrepancy') {
        const {orderNo, deviceId, state} = order;
        const fields = {orderNo: printable(orderNo), deviceId: printable(deviceId), state, reported};
        log.warn(fields, 'a device contradicts an order');
      }
      changes.tell(() => ({kind: 'order', data: {...chargeInfo(order), ...(watts !== undefined && {watts})}}));
    },
  });

  async function place(request: CoinOrderRequest): ReturnType<Business['place']> {
    const {orderNo, deviceId, coins: count, timeoutSeconds, amountCent = null} = request;
    await claim(orderNo, [deviceId, count, timeoutSeconds]);
    if (hooks?.order !== undefined && (await coins.get(orderNo)) === undefined) {
      const known = {orderNo, deviceId, amountCent} as const;
      await consent(hooks.order({...known, kind: 'coin', coins: count, timeoutSeconds, portNo: null}));
    }
    return coins.create(request);
  }

  async function placeCharge(request: ChargeRequest): Promise<ChargePlaced> {
    const {orderNo, deviceId, portNo, mode, amountCent} = request;
    await claim(orderNo, [deviceId, portNo, mode, amountCent]);
    const {charges} = charging;
    if (hooks?.order !== undefined && (await charges.get(orderNo)) === undefined) {
      const known = {orderNo, deviceId, amountCent} as const;
      await consent(hooks.order({...known, kind: 'charge', coins: null, timeoutSeconds: null, portNo}));
    }
    return charges.create(request);
  }

  /** Among servers with databases of their own one order number is one order. */
  async function claim(orderNo: string, content: readonly unknown[]): Promise<void> {
    if ((await idempotency?.claim(`order:${orderNo}`, JSON.stringify(content))) !== 'other') return;
    throw new PaynetError('ORDER_CONFLICT', `order ${orderNo} exists with another content`, {
      hint: 'Use a new order number for a new order.',
    });
  }

  /** What the project says; it is not asked about an order that it has let through before. */
  async function consent(answer: HookAnswer | PromiseLike<HookAnswer>): Promise<void> {
    const said = await answer;
    if (said !== true) throw new PaynetError('ORDER_REFUSED', said.refuse);
  }

  const business: Business = {
    coins,
    charging,
    devices,
    sender: undefined,
    place,
    placeCharge,

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
      switch (event.kind) {
        case 'commandAck':
          charging.charges.heard(event.deviceId);
          return coins.reported(event.deviceId, event.orderId, event);
        case 'loggedIn':
          devices.loggedIn(event.driver, event.resumed);
          coins.online(event.deviceId);
          changes.tell(() => deviceChange(event.deviceId, true, event.at));
          break;
        case 'disconnected':
          devices.disconnected(event.driver, event.reason);
          changes.tell(() => deviceChange(event.deviceId, false, event.at));
          break;
      }
      return charging.happened(event);
    },

    async view(deviceId, orderNo) {
      const order = await coins.get(orderNo);
      if (order === undefined || order.deviceId !== deviceId) return undefined;
      const {state, progress, error} = order;
      if (state === 'created' || state === 'sent') return undefined;
      return {state: state === 'cancelled' || state === 'timeout' ? 'failed' : state, progress, error};
    },

    start() {
      coins.start();
      charging.start();
    },

    async stop() {
      await charging.stop();
      await coins.stop();
      await devices.stop();
      waiters.close();
      await business.sender?.stop();
    },
  };
  return business;
}

const deviceChange = (deviceId: string, online: boolean, at: number): Change => ({
  kind: 'device',
  data: {deviceId, online, at},
});
