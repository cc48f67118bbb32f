import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';
import {formatAddress, listenError, parseAddress} from '../config/index.js';
import type {Log} from './log.js';

export interface Health {
  /** Whether devices can be served now; if not, why. The reasons are shown to whoever asks. */
  ready(): {ready: boolean; reasons: readonly string[]};
}

export interface ObserveServerOptions {
  /** ":9090" and the like; port 0 lets the system choose. */
  addr: string;
  metrics: {text(): Promise<string>; contentType: string};
  health: Health;
  log: Pick<Log, 'error'>;
}

export interface ObserveServer {
  /** Where it listens, with the real port. */
  address: {host: string; port: number};
  /** Stops listening and ends all connections; closing twice is fine. */
  close(): Promise<void>;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

const JSON_TYPE = 'application/json; charset=utf-8';
/** A few scrapers and probes; whoever else comes must not use up the descriptors of the devices. */
const MAX_CONNECTIONS = 64;

/**
 * Serves /metrics, /healthz (200 while the process answers) and /readyz (200, or 503 with the reasons).
 * @throws PaynetError PORT_IN_USE and the like, when it cannot listen
 */
export async function startObserveServer(options: ObserveServerOptions): Promise<ObserveServer> {
  const {addr, log} = options;
  const wanted = parseAddress(addr);
  const server = createServer({
    maxHeaderSize: 16 * 1024,
    headersTimeout: 10_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 5000,
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on('request', async (request, response) => {
    try {
      send(request, response, await answer(request, options));
    } catch (error) {
      log.error({err: error, path: request.url}, 'a request for metrics or health failed');
      if (!response.headersSent) send(request, response, json(500, {error: 'internal error'}));
    }
  });

  await listen(server, wanted.host, wanted.port).catch((error: unknown) => {
    throw listenError(error, wanted, 'observe.addr');
  });
  server.on('error', (error) => log.error({err: error}, `the server of ${formatAddress(wanted)} had an error`));
  const {address, port} = server.address() as AddressInfo;

  let closed: Promise<void> | undefined;
  return {
    address: {host: address, port},
    close() {
      closed ??= new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return closed;
    },
  };
}

async function answer(request: IncomingMessage, options: ObserveServerOptions): Promise<Answer> {
  const path = (request.url ?? '').split('?', 1)[0];
  if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
    return json(404, {error: 'not found', paths: ['/metrics', '/healthz', '/readyz']});
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return json(405, {error: 'only GET and HEAD'});
  if (path === '/metrics') {
    return {status: 200, type: options.metrics.contentType, body: await options.metrics.text()};
  }
  if (path === '/healthz') return json(200, {alive: true});
  const {ready, reasons} = options.health.ready();
  return json(ready ? 200 : 503, {ready, reasons});
}

function json(status: number, body: object): Answer {
  return {status, type: JSON_TYPE, body: `${JSON.stringify(body)}\n`};
}

function send(request: IncomingMessage, response: ServerResponse, {status, type, body}: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? {allow: 'GET, HEAD'} : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, host: string | undefined, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({host, port}, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}
