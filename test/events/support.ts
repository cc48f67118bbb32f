import {mkdtempSync, rmSync} from 'node:fs';
import type {IncomingHttpHeaders, RequestListener, ServerResponse} from 'node:http';
import {createServer} from 'node:http';
import type {AddressInfo, Server} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as pause} from 'node:timers/promises';
import {onTestFinished} from 'vitest';
import {type EventSender, type EventSenderOptions, startEventSender} from '../../src/lib/events/index.js';
import {openStore, type Store, type StoreTarget} from '../../src/lib/store/index.js';
import * as op from './operations.js';
import {OPERATIONS, quiet, SECRET} from './parts.js';

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-events-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

/** Opens a store that is closed after the test; SQLite in a folder of its own unless told. */
export async function open(target?: StoreTarget): Promise<Store> {
  const store = await openStore(target ?? {engine: 'sqlite', path: join(tempFolder(), 'paynet.db')}, {
    operations: OPERATIONS,
    log: quiet,
  });
  onTestFinished(() => store.close());
  return store;
}

/** Makes orders that each have `count` events, due now. */
export async function tellOf(store: Store, orders: readonly string[], count = 1): Promise<void> {
  for (const orderNo of orders) {
    await store.run(op.createOrder, orderNo);
    await store.run(op.tell, {orderNo, count, at: Date.now()});
  }
}

export interface Received {
  id: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A merchant's receiver. */
export interface Sink {
  readonly url: string;
  readonly port: number;
  /** Everything that came, whatever was answered. */
  readonly received: Received[];
  /** The ids that came, in their order. */
  readonly ids: string[];
  /** How many were being answered at the same time, at most. */
  readonly most: number;
  /** Resolves when so much has come that this is true. */
  until(enough: () => boolean): Promise<void>;
}

export type Reply = (response: ServerResponse, received: Received) => unknown;

export const ok: Reply = (response) => {
  response.end('ok');
};

export const status =
  (code: number, headers: Record<string, string> = {}): Reply =>
  (response) => {
    response.writeHead(code, headers).end();
  };

/** Starts a receiver on the loopback that ends with the test. `make` makes the server: http unless told. */
export async function startSink(
  reply: Reply,
  {port = 0, make = createServer}: {port?: number; make?: (listener: RequestListener) => Server} = {},
): Promise<Sink> {
  const received: Received[] = [];
  const watchers = new Set<() => void>();
  let now = 0;
  let most = 0;
  const server = make(async (request, response) => {
    most = Math.max(most, ++now);
    response.once('close', () => {
      now -= 1;
    });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const one = {id: String(request.headers['x-event-id']), path: request.url ?? '', headers: request.headers, body};
    received.push(one);
    for (const watcher of watchers) watcher();
    await reply(response, one);
  });
  await listen(server, port);
  onTestFinished(() => closeServer(server));
  const own = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${own}/webhook/iot?shop=1`,
    port: own,
    received,
    get ids() {
      return received.map(({id}) => id);
    },
    get most() {
      return most;
    },
    until: (enough) =>
      new Promise((resolve) => {
        const look = () => {
          if (!enough()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
  };
}

export function listen(server: Server, port = 0): Promise<void> {
  return new Promise((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
}

export function closeServer(server: Server & {closeAllConnections?: () => void}): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections?.();
  });
}

/** Starts a sender that stops with the test. */
export function send(store: Store, url: string, options: Partial<EventSenderOptions> = {}): EventSender {
  const sender = startEventSender({
    store,
    endpoint: {url, secrets: [SECRET]},
    allowPrivate: true,
    allowHttp: true,
    log: quiet,
    ...options,
  });
  onTestFinished(() => sender.stop());
  return sender;
}

/** Waits, at most as long as the test may take, until this is true. */
export async function eventually(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await pause(10);
}
