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
  type CreatedKey,
  createApiKeys,
  type Scope,
  startApi,
} from '../../src/lib/api/index.js';
import {signRequest} from '../../src/lib/events/index.js';
import type {Log} from '../../src/lib/observe/index.js';
import {openStore, type Store} from '../../src/lib/store/index.js';
import {literalPorts, NOW} from './ports.js';

export {CHARGE, DEVICE, literalPorts, NOW, ORDER, PILE} from './ports.js';

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
      'x-signature': signRequest(used.hmacSecret, {method, path, timestamp, nonce, body}),
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
