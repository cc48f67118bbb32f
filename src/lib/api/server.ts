import {createServer, type Server} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';
import {listenError, parseAddress} from '../config/index.js';
import type {Log} from '../observe/index.js';
import type {Store} from '../store/index.js';
import {answerBroken} from './answers.js';
import {createAuth} from './auth.js';
import type {Rate} from './buckets.js';
import {routesOf} from './endpoint.js';
import {createGate} from './gate.js';
import {createIdempotency, forgottenBefore} from './idempotency.js';
import type {ApiKeys} from './keys.js';
import {createListener} from './listener.js';
import {openApiDocument, operationOf} from './openapi.js';
import {forgetOld} from './operations.js';
import type {ApiPorts} from './ports.js';
import {createAddressOf} from './proxies.js';
import {documentRoutes} from './routes/documents.js';
import {endpointsOf} from './routes/index.js';
import {streamDocumented, streamRoute} from './routes/stream.js';
import {createStream, type LiveStream} from './stream.js';

export interface ApiLimits {
  /** Milliseconds without traffic, for a whole request, for its headers, and for what is under way at the end. */
  connectionMs: number;
  requestMs: number;
  headersMs: number;
  drainMs: number;
  /** All requests together. */
  total: Rate;
  /** Off when not given. */
  perKey?: Rate | undefined;
  perAddress?: Rate | undefined;
  /** Failed authentication, per network address. */
  failedAuth: Rate;
  /** Live streams: how many, how far one may lag behind, what is kept for those that come back, and their heartbeat. */
  streams: number;
  backlogBytes: number;
  kept: number;
  heartbeatMs: number;
}

const DEFAULTS: ApiLimits = {
  connectionMs: 30_000,
  requestMs: 30_000,
  headersMs: 15_000,
  drainMs: 5000,
  total: {perSecond: 20_000, burst: 20_000},
  failedAuth: {perSecond: 0.5, burst: 20},
  streams: 100,
  backlogBytes: 1024 * 1024,
  kept: 1000,
  heartbeatMs: 10_000,
};

export interface ApiOptions {
  /** ":7055" and the like; port 0 lets the system choose. */
  addr: string;
  ports: ApiPorts;
  keys: ApiKeys;
  /** Opened with `apiOperations`; nonces and Idempotency-Keys last there. */
  store: Store;
  log: Log;
  /** The program's, for the document of the interface. */
  version: string;
  /** Whether requests must be signed; true unless given. */
  requireHmac?: boolean;
  limits?: Partial<ApiLimits>;
  /** Addresses or networks of proxies whose X-Forwarded-For is believed; nobody's unless given. */
  trustProxy?: readonly string[];
  /** UTC milliseconds. */
  now?: () => number;
}

export interface Api {
  /** Where it listens, with the real port. */
  address: {host: string; port: number};
  /** Stops listening, ends the streams, lets requests finish within a limit; closing twice is fine. */
  close(): Promise<void>;
}

const BODY_BYTES = 1024 * 1024;
const HEADER_BYTES = 16 * 1024;
const FORGET_EVERY_MS = 30_000;

/**
 * Starts the HTTP interface.
 * @throws PaynetError PORT_IN_USE and the like, when it cannot listen; PROXY_INVALID
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const limits = {...DEFAULTS, ...options.limits};
  const {store, log, ports, now = Date.now} = options;
  const wanted = parseAddress(options.addr);
  const life = {ending: false};
  const stream = createStream((changed) => ports.subscribe(changed), limits);
  let server: Server;
  try {
    server = build(options, limits, stream, life);
    await listen(server, wanted.host, wanted.port).catch((error: unknown) => {
      throw listenError(error, wanted, 'api.addr');
    });
  } catch (error) {
    stream.close();
    throw error;
  }
  server.on('error', (error) => log.error({err: error}, 'the server of the HTTP interface had an error'));

  const forget = setInterval(() => {
    const time = now();
    store.run(forgetOld, {now: time, before: forgottenBefore(time)}).catch((error: unknown) => {
      log.warn({err: error}, 'old nonces could not be removed; it is tried again');
    });
  }, FORGET_EVERY_MS);
  forget.unref();

  const {address: host, port} = server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: {host, port},
    close() {
      closed ??= end();
      return closed;
    },
  };

  async function end(): Promise<void> {
    life.ending = true;
    clearInterval(forget);
    stream.close();
    const cut = setTimeout(() => server.closeAllConnections(), limits.drainMs);
    // Closes what is idle, too; what is not yet is told to be the last of its connection.
    await new Promise((resolve) => server.close(resolve));
    clearTimeout(cut);
  }
}

function build(options: ApiOptions, limits: ApiLimits, stream: LiveStream, life: {ending: boolean}): Server {
  const {keys, store, ports, log, version, requireHmac = true, trustProxy, now = Date.now} = options;
  const auth = createAuth({keys, store, requireHmac, failedAuth: limits.failedAuth, now});
  const endpoints = endpointsOf(ports, keys, now);
  const documented = endpoints.flatMap((each) =>
    [each.path, ...(each.aliases ?? [])].map((path) => ({
      method: each.method,
      path,
      operation: operationOf(each, path),
    })),
  );
  const idempotently = createIdempotency(store, log, now);
  const listener = createListener({
    routes: [
      ...endpoints.flatMap((each) => routesOf(each, {idempotently, now})),
      streamRoute(stream, keys),
      ...documentRoutes(openApiDocument([...documented, streamDocumented], version)),
    ],
    gate: createGate({...limits, auth, keys, bodyBytes: BODY_BYTES, log, now}),
    addressOf: createAddressOf(trustProxy),
    server: life,
    log,
    now,
  });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.connectionMs,
      connectionsCheckingInterval: Math.ceil(limits.headersMs / 10),
    },
    listener,
  );
  server.setTimeout(limits.connectionMs);
  server.on('clientError', (error, socket) => answerBroken(error, socket as Socket, now()));
  return server;
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
