import {randomBytes} from 'node:crypto';
import {mkdtempSync, rmSync} from 'node:fs';
import {request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders} from 'node:http';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {text} from 'node:stream/consumers';
import {afterAll, beforeAll, onTestFinished} from 'vitest';
import {
  type Api,
  type ApiKeys,
  type ApiOptions,
  type ApiPorts,
  apiOperations,
  type Change,
  type CreatedKey,
  createApiKeys,
  type DeviceInfo,
  type NewCoinOrder,
  type OrderInfo,
  type Scope,
  sign,
  startApi,
} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';
import type {Log} from '../../src/lib/observe/index.js';
import {openStore, type Store} from '../../src/lib/store/index.js';

export const NOW = 1_762_863_000_000;
export const MASTER_KEY = Buffer.alloc(32, 7);

export interface Line {
  level: string;
  fields: object;
  message: string;
}

export function keepingLog(): Log & {lines: Line[]} {
  const lines: Line[] = [];
  const level = (name: string) => (fields: object, message: string) => {
    lines.push({level: name, fields, message});
  };
  const log = {
    lines,
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    child: () => log,
  };
  return log;
}

type AtEnd = (end: () => void | Promise<void>) => void;

export function tempFile(atEnd: AtEnd = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-api-'));
  atEnd(() => rmSync(folder, {recursive: true, force: true}));
  return join(folder, 'paynet.db');
}

export async function openAt(path: string, atEnd: AtEnd = onTestFinished): Promise<Store> {
  const store = await openStore({engine: 'sqlite', path}, {operations: [apiOperations], log: keepingLog()});
  atEnd(() => store.close());
  return store;
}

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

export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  // What the interface answers is looked at field by field.
  json: {code: number; message: string; data: Record<string, unknown>; request_id: string; timestamp: number} & Record<
    string,
    unknown
  >;
}

export interface CallOptions {
  body?: unknown;
  /** Instead of JSON of `body`. */
  raw?: string | Buffer;
  headers?: OutgoingHttpHeaders;
  key?: CreatedKey;
  /** Signed unless false. */
  signed?: boolean;
  /** Unix seconds. */
  timestamp?: number | string;
  nonce?: string;
}

export interface TestApi {
  api: Api;
  port: number;
  store: Store;
  keys: ApiKeys;
  key: CreatedKey;
  ports: ReturnType<typeof literalPorts>;
  log: ReturnType<typeof keepingLog>;
  clock: {now: number};
  call(method: string, path: string, options?: CallOptions): Promise<Answer>;
  open(path: string, headers?: OutgoingHttpHeaders): Promise<IncomingMessage>;
  keyOf(scope: Scope): Promise<CreatedKey>;
}

export interface TestOptions extends Partial<Omit<ApiOptions, 'ports'>> {
  path?: string;
  /** After the test unless given. */
  atEnd?: AtEnd;
  ports?: Partial<ApiPorts>;
}

/** An interface over a real store, on a port of its own; a clock that only moves when told. */
export async function startTestApi(options: TestOptions = {}): Promise<TestApi> {
  const {atEnd = onTestFinished, path = tempFile(atEnd), ports: changed, ...rest} = options;
  const clock = {now: NOW};
  const now = () => clock.now;
  const store = rest.store ?? (await openAt(path, atEnd));
  const keys = rest.keys ?? createApiKeys({store, masterKey: MASTER_KEY, now});
  const key = await keys.create({name: 'test', scope: 'admin'});
  const ports = {...literalPorts(), ...changed};
  const log = keepingLog();
  const api = await startApi({addr: '127.0.0.1:0', version: '1.2.3', now, ...rest, store, keys, ports, log});
  atEnd(() => api.close());
  const {port} = api.address;
  const signedHeaders = (method: string, path: string, body: Buffer, options: CallOptions): OutgoingHttpHeaders => {
    const used = options.key ?? key;
    if (options.signed === false) return {'x-api-key': used.key};
    const timestamp = String(options.timestamp ?? Math.floor(clock.now / 1000));
    const nonce = options.nonce ?? randomBytes(16).toString('hex');
    return {
      'x-api-key': used.key,
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-signature': sign(used.hmacSecret, {method, path, timestamp, nonce, body}),
    };
  };
  return {
    api,
    port,
    store,
    keys,
    key,
    ports,
    log,
    clock,
    keyOf: (scope) => keys.create({name: scope, scope}),
    async call(method, path, options = {}) {
      const {body, raw = body === undefined ? '' : JSON.stringify(body)} = options;
      const bytes = Buffer.from(raw);
      const headers = {
        ...signedHeaders(method, path, bytes, options),
        ...(bytes.length > 0 && {'content-type': 'application/json', 'content-length': bytes.length}),
        ...options.headers,
      };
      for (const [name, value] of Object.entries(headers)) {
        if (value === undefined) delete headers[name as keyof typeof headers];
      }
      return send(port, method, path, headers, bytes);
    },
    open: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const all = {...signedHeaders('GET', path, Buffer.alloc(0), {}), ...headers};
        const request = httpRequest({host: '127.0.0.1', port, path, headers: all, agent: false}, resolve);
        request.on('error', reject);
        request.end();
        onTestFinished(() => {
          request.destroy();
        });
      }),
  };
}

/** One interface for all tests of a file that leave it as it was. */
export function sharedTestApi(options: TestOptions = {}): () => TestApi {
  const ends: (() => void | Promise<void>)[] = [];
  let shared: TestApi | undefined;
  beforeAll(async () => {
    shared = await startTestApi({
      limits: {failedAuth: {perSecond: 1000, burst: 1000}},
      ...options,
      atEnd: (end) => ends.push(end),
    });
  });
  afterAll(async () => {
    for (const end of ends.reverse()) await end();
  });
  return () => {
    if (shared === undefined) throw new Error('there is no interface yet');
    shared.ports.asked.length = 0;
    return shared;
  };
}

export function send(
  port: number,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders = {},
  body: string | Buffer = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({host: '127.0.0.1', port, method, path, headers, agent: false}, async (response) => {
      try {
        const got = await text(response);
        const isJson = response.headers['content-type']?.startsWith('application/json') ?? false;
        const json = isJson ? JSON.parse(got) : undefined;
        resolve({status: response.statusCode ?? 0, headers: response.headers, text: got, json});
      } catch (error) {
        reject(error as Error);
      }
    });
    request.on('error', reject);
    request.end(body);
  });
}
