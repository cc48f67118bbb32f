import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ApiPorts, DeviceInfo, OrderInfo} from '../../src/lib/api/index.js';
import {apiOperations} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';
import {type EventFilter, eventsOfOrder, findEvent, listEvents, replayEvent} from '../../src/lib/events/index.js';
import {
  CoinOrders,
  type CoinRecord,
  ORDER_OPERATIONS,
  openDiscrepancies,
  type Report,
  recordOf,
  resolveDiscrepancy,
} from '../../src/lib/orders/index.js';
import {
  claimForSending,
  cleanCommands,
  commandFailed,
  deadCommands,
  dismissDead,
  enqueueCommand,
  OUTBOUND_OPERATIONS,
  retryDead,
} from '../../src/lib/outbound/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {type DiscrepancyRow, openStore, prepare, type Store} from '../../src/lib/store/index.js';
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

const EVENT_OPERATIONS = new URL('../../src/lib/events/replay.js', import.meta.url);

export async function openSite(atEnd: AtEnd, options: TestOptions = {}): Promise<Site> {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-client-'));
  atEnd(() => rmSync(folder, {recursive: true, force: true}));
  const operations = [apiOperations, ORDER_OPERATIONS, OUTBOUND_OPERATIONS, EVENT_OPERATIONS];
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
    tell: ({order}) => told({kind: 'order', data: infoOf(order)}),
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

  const ports: Partial<ApiPorts> = {
    orders: ordersPort(store, orders),
    events: eventsPort(store),
    queue: queuePort(store),
    devices: {
      async list({limit, offset, online}) {
        const found = [...devices.values()].filter((each) => online === undefined || each.online === online);
        return {items: found.slice(offset, offset + limit), total: found.length};
      },
      get: async (id) => devices.get(id),
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
        await store.run(claimForSending, {id, at, owner: 'test', until: at + 1000});
        await store.run(commandFailed, {id, owner: 'test', error: 'no answer', at});
      }
    },
  });
}

function infoOf({state, error, ...order}: CoinRecord): OrderInfo {
  const {orderNo, deviceId, coins, timeoutSeconds, progress, attempts, createdAt, updatedAt, endedAt} = order;
  const times = {createdAt, updatedAt, endedAt};
  const what = {orderNo, deviceId, kind: 'coin', status: state, coins, timeoutSeconds};
  return {...what, progress, error: error === '' ? null : error, attempts, ...times};
}

const allDiscrepancies = prepare((db) => db.selectFrom('discrepancies').selectAll().orderBy('id'));

function ordersPort(store: Store, orders: CoinOrders): ApiPorts['orders'] {
  const discrepancy = ({id, order_no, device_id, order_state, ...row}: DiscrepancyRow) => ({
    id,
    orderNo: order_no,
    deviceId: device_id,
    orderStatus: order_state,
    reported: JSON.parse(row.reported) as unknown,
    createdAt: row.created_at,
    resolvedAt: row.resolved_at,
    resolution: row.resolution,
  });
  return {
    async createCoin(request) {
      try {
        const {outcome, order} = await orders.create(request);
        return {outcome, order: infoOf(order)};
      } catch (error) {
        if ((error as {code?: string}).code === 'ORDER_CONFLICT')
          throw new PaynetError('IDEMPOTENCY_CONFLICT', 'other');
        throw error;
      }
    },
    async get(orderNo) {
      const order = await orders.get(orderNo);
      return order && infoOf(order);
    },
    async list({deviceId, status, page, pageSize}) {
      const filter = {...(deviceId !== undefined && {deviceId}), ...(status !== undefined && {state: status})};
      const rows = await orders.list({...filter, limit: 100});
      const items = rows.map((row) => infoOf(recordOf(row)));
      return {items: items.slice((page - 1) * pageSize, page * pageSize), total: items.length};
    },
    cancel: async (orderNo) => infoOf(await orders.cancel(orderNo)),
    async discrepancies({resolved}) {
      const open = await store.read(openDiscrepancies, {before: Number.MAX_SAFE_INTEGER, limit: 100});
      const rows = resolved === false ? open : await store.read(allDiscrepancies);
      const items = rows.filter((row) => resolved !== true || row.resolved_at !== null).map(discrepancy);
      return {items, total: items.length};
    },
    async resolveDiscrepancy(id, text) {
      const isDone = await store.run(resolveDiscrepancy, {id, resolution: text, at: Date.now()});
      const row = (await store.read(allDiscrepancies)).find((each) => each.id === id);
      if (!isDone || row === undefined) throw new PaynetError('DISCREPANCY_NOT_FOUND', `there is no open one ${id}`);
      return discrepancy(row);
    },
  };
}

function eventsPort(store: Store): ApiPorts['events'] {
  const event = (row: Awaited<ReturnType<typeof listEvents>>[number]) => ({
    eventId: row.event_id,
    eventType: row.type,
    orderNo: row.order_no,
    deviceId: row.device_id,
    sequenceNo: row.sequence,
    status: row.state,
    retryCount: row.attempts,
    createdAt: row.created_at,
    pushedAt: row.pushed_at,
    errorMessage: row.error,
    data: JSON.parse(row.data) as unknown,
  });
  return {
    ofOrder: async (orderNo) => (await eventsOfOrder(store, orderNo, 0, 100)).map(event),
    async list({deviceId, status, eventType, pageSize}) {
      const filter = {deviceId, state: status, type: eventType} as EventFilter;
      const rows = await listEvents(store, filter, 100);
      return {items: rows.slice(0, pageSize).map(event), total: rows.length};
    },
    async replay(ids) {
      for (const id of ids) {
        if ((await findEvent(store, id)) === undefined) throw new PaynetError('EVENT_NOT_FOUND', `there is no ${id}`);
      }
      for (const eventId of ids) await store.run(replayEvent, {eventId, at: Date.now()});
    },
  };
}

function queuePort(store: Store): ApiPorts['queue'] {
  return {
    async dead({deviceId}) {
      const rows = await store.read(deadCommands, {before: Number.MAX_SAFE_INTEGER, limit: 100});
      const items = rows
        .filter((row) => deviceId === undefined || row.device_id === deviceId)
        .map((row) => ({
          id: row.id,
          deviceId: row.device_id,
          orderNo: row.order_no,
          kind: row.kind,
          status: row.state,
          attempts: row.attempts,
          lastError: row.last_error,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
        }));
      return {items, total: items.length};
    },
    async retry(id) {
      const outcome = await store.run(retryDead, {id, at: Date.now()});
      if (outcome !== 'waiting') throw new PaynetError('COMMAND_NOT_FOUND', `there is no dead letter ${id}`);
    },
    async dismiss(id) {
      const isDone = await store.run(dismissDead, {id, at: Date.now()});
      if (!isDone) throw new PaynetError('COMMAND_NOT_FOUND', `there is no dead letter ${id}`);
    },
    clean: () => store.run(cleanCommands, {at: Date.now() + 2 * 86_400_000, limit: 100}),
  };
}
