import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ApiPorts, DeviceInfo} from '../../src/lib/api/index.js';
import {apiOperations} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';
import {EVENT_OPERATIONS} from '../../src/lib/events/index.js';
import {
  type CoinOrderRequest,
  CoinOrders,
  type CoinRecord,
  ORDER_OPERATIONS,
  type Report,
} from '../../src/lib/orders/index.js';
import {
  claimForSending,
  cleanCommands,
  commandFailed,
  dismissDead,
  enqueueCommand,
  OUTBOUND_OPERATIONS,
  retryDead,
} from '../../src/lib/outbound/index.js';
import type {Business} from '../../src/lib/server/business.js';
import {eventsPort} from '../../src/lib/server/ports/events.js';
import {coinInfo} from '../../src/lib/server/ports/order-info.js';
import {ordersPort} from '../../src/lib/server/ports/orders.js';
import {queuePort} from '../../src/lib/server/ports/queue.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {openStore} from '../../src/lib/store/index.js';
import {keepingLog, startTestApi, type TestApi, type TestOptions} from '../api/support.js';

type AtEnd = NonNullable<TestOptions['atEnd']>;

/** A server's interface over a real store, real coin orders, events and commands, and devices of the test's making. */
export interface Site extends TestApi {
  origin: string;
  orders: CoinOrders;
  devices: Map<string, DeviceInfo>;
  /** What a device does with a command; it pays out at once unless the test says otherwise. */
  box: {coin(order: CoinRecord): Promise<void>};
  sent: {deviceId: string; type: number; payload: string}[];
  kicked: string[];
  report(orderNo: string, state: Report['state'], progress?: number): Promise<void>;
  /** Puts a command among the dead letters. */
  deadLetter(id: string): Promise<void>;
}

export const device = (deviceId: string, online = true): DeviceInfo => ({
  deviceId,
  online,
  score: online ? 100 : null,
  protocol: 'paynet',
  model: '支付盒',
  firmware: '1.4.0',
  registeredAt: Date.UTC(2025, 10, 1, 8),
  lastSeenAt: Date.UTC(2025, 10, 11, 12, 10),
});

export async function openSite(atEnd: AtEnd, options: TestOptions = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-client-'));
  atEnd(() => rmSync(folder, {recursive: true, force: true}));
  const operations = [apiOperations, ORDER_OPERATIONS, OUTBOUND_OPERATIONS, ...EVENT_OPERATIONS];
  const store = await openStore({engine: 'sqlite', path: join(folder, 'paynet.db')}, {operations, log: keepingLog()});
  atEnd(() => store.close());

  const devices = new Map(['PB-0001', 'PB-0002'].map((id) => [id, device(id, id === 'PB-0001')]));
  const sent: Site['sent'] = [];
  const kicked: string[] = [];
  const isOnline = (deviceId: string): boolean => devices.get(deviceId)?.online === true;
  const report = async (orderNo: string, state: Report['state'], progress = 0): Promise<void> => {
    const order = await orders.get(orderNo);
    await orders.reported(order?.deviceId ?? '', orderNo, {state, progress, error: state === 'failed' ? 'jam' : ''});
  };
  const box: Site['box'] = {coin: ({orderNo}) => report(orderNo, 'done', 100)};
  let told: TestApi['ports']['tell'] = () => {};
  const orders = new CoinOrders({
    store,
    wheel: new DeadlineWheel(),
    owner: 'test',
    log: keepingLog(),
    tell: ({order}) => told({kind: 'order', data: coinInfo(order)}),
    port: {
      isOnline,
      coin: async (order) => {
        // The device answers after it was written to.
        setImmediate(() => void box.coin(order));
      },
      query: async () => ({found: false}),
    },
  });
  atEnd(() => orders.stop());

  const wake = (): void => {};
  const business = {
    coins: orders,
    place: (request: CoinOrderRequest) => orders.create(request),
    charging: {charges: {get: async () => undefined}},
  } as unknown as Business;
  const ports: Partial<ApiPorts> = {
    orders: ordersPort({store, business, keepSeconds: 0, now: Date.now}),
    events: eventsPort({store, wake, now: Date.now}),
    queue: queuePort({
      store,
      dispatcher: () => ({
        retry: (id) => store.run(retryDead, {id, at: Date.now()}),
        dismiss: (id) => store.run(dismissDead, {id, at: Date.now()}),
        // Two days later, when what is settled may go.
        clean: () => store.run(cleanCommands, {at: Date.now() + 2 * 86_400_000, limit: 100}),
      }),
    }),
    devices: {
      async list({limit, offset, online}) {
        const found = [...devices.values()].filter((each) => online === undefined || each.online === online);
        return {items: found.slice(offset, offset + limit), total: found.length};
      },
      async get(id) {
        const found = devices.get(id);
        return found && {...found, ports: [], activeOrders: []};
      },
      async kick(id, reason) {
        mustBeOnline(id);
        kicked.push(`${id} ${reason}`);
      },
      async send(id, {type, payload}) {
        mustBeOnline(id);
        sent.push({deviceId: id, type, payload: Buffer.from(payload).toString('hex')});
      },
    },
    stats: async () => ({devices: {online: 1, known: devices.size}, queue: {dead: 0}, version: '1.2.3'}),
  };
  function mustBeOnline(id: string): void {
    if (!isOnline(id)) throw new PaynetError('DEVICE_OFFLINE', `${id} is not connected`);
  }

  // The commands have the time of this machine.
  const api = await startTestApi({now: Date.now, ...options, store, ports, atEnd});
  told = api.ports.tell;
  return Object.assign(api, {
    origin: `http://127.0.0.1:${api.port}`,
    orders,
    devices,
    box,
    sent,
    kicked,
    report,
    async deadLetter(id: string) {
      const command = {id, deviceId: 'PB-0001', orderNo: null, kind: 'raw', payload: {}, priority: 5};
      await store.run(enqueueCommand, {...command, expiresAt: null, at: 1000});
      for (let at = 100_000; at <= 300_000; at += 100_000) {
        await store.run(claimForSending, {deviceId: 'PB-0001', at, owner: 'test', until: at + 1000});
        await store.run(commandFailed, {id, owner: 'test', error: 'no answer', at});
      }
    },
  });
}
