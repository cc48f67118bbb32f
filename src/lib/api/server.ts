import type {AddressInfo} from 'node:net';
import {networkInterfaces} from 'node:os';
import Fastify, {type FastifyInstance} from 'fastify';
import {listenError, parseAddress} from '../config/index.js';
import {PaynetError} from '../errors.js';
import type {Log} from '../observe/index.js';
import type {Store} from '../store/index.js';
import {addErrorAnswers, answerBroken, answerError, requestIdOf} from './answers.js';
import {createAuth} from './auth.js';
import type {Rate} from './buckets.js';
import {mount} from './endpoint.js';
import {asApiError} from './errors.js';
import {addHooks} from './hooks.js';
import {createIdempotency, forgottenBefore} from './idempotency.js';
import type {ApiKeys} from './keys.js';
import {addOpenApi} from './openapi.js';
import {forgetOld} from './operations.js';
import type {ApiPorts} from './ports.js';
import {addDocuments} from './routes/documents.js';
import {endpointsOf} from './routes/index.js';
import {addStream} from './routes/stream.js';
import type {Schema} from './schema.js';
import {createStream, type LiveStream} from './stream.js';
import {checkOf} from './validate.js';

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
 * @throws PaynetError PORT_IN_USE and the like, when it cannot listen; API_HARDENED
 */
export async function startApi(options: ApiOptions): Promise<Api> {
  const limits = {...DEFAULTS, ...options.limits};
  const {store, log, ports, now = Date.now} = options;
  const wanted = parseAddress(options.addr);
  requireCodeFromText();
  const stream = createStream((changed) => ports.subscribe(changed), limits);
  const app = await build(options, limits, stream).catch((error: unknown) => {
    stream.close();
    throw error;
  });
  try {
    // Without a host Fastify would take localhost; here that means every interface.
    await app.listen({host: wanted.host ?? everyInterface(), port: wanted.port});
  } catch (error) {
    stream.close();
    await app.close();
    throw listenError(error, wanted, 'api.addr');
  }

  const forget = setInterval(() => {
    const time = now();
    store.run(forgetOld, {now: time, before: forgottenBefore(time)}).catch((error: unknown) => {
      log.warn({err: error}, 'old nonces could not be removed; it is tried again');
    });
  }, FORGET_EVERY_MS);
  forget.unref();

  const {address: host, port} = app.server.address() as AddressInfo;
  let closed: Promise<void> | undefined;
  return {
    address: {host, port},
    close() {
      closed ??= end();
      return closed;
    },
  };

  async function end(): Promise<void> {
    clearInterval(forget);
    stream.close();
    const cut = setTimeout(() => app.server.closeAllConnections(), limits.drainMs);
    try {
      await app.close();
    } finally {
      clearTimeout(cut);
    }
  }
}

/** Found out here, since in the framework it would be an exception that nobody can catch. */
function requireCodeFromText(): void {
  try {
    new Function('return 0');
  } catch (error) {
    throw new PaynetError('API_HARDENED', 'the HTTP interface makes code out of its routes and schemas as it starts', {
      cause: error,
      hint: 'start Node without --disallow-code-generation-from-strings, or without the HTTP interface',
    });
  }
}

function everyInterface(): string {
  const hasIPv6 = Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({family}) => family === 'IPv6'),
  );
  return hasIPv6 ? '::' : '0.0.0.0';
}

const PARTS = {body: 'body', querystring: 'query', params: 'path', headers: 'headers'} as const;

async function build(options: ApiOptions, limits: ApiLimits, stream: LiveStream): Promise<FastifyInstance> {
  const {keys, store, ports, log, version, requireHmac = true, trustProxy, now = Date.now} = options;
  const app = Fastify({
    logger: false,
    connectionTimeout: limits.connectionMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.connectionMs,
    bodyLimit: BODY_BYTES,
    http: {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.ceil(limits.headersMs / 10),
    },
    requestIdHeader: false,
    genReqId: requestIdOf,
    trustProxy: trustProxy === undefined ? false : [...trustProxy],
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: {maxParamLength: 1000},
    exposeHeadRoutes: false,
    clientErrorHandler: (error, socket) => answerBroken(error, socket, now),
    frameworkErrors: (error, request, reply) => {
      answerError(asApiError(error), request, reply, now);
    },
  });
  try {
    // What is documented is checked by tests; there is no need to check each answer again.
    app.setValidatorCompiler(({schema, httpPart}) => {
      const check = checkOf(schema as Schema, PARTS[httpPart as keyof typeof PARTS]);
      return (value) => {
        check(value);
        return true;
      };
    });
    app.setSerializerCompiler(() => (data) => JSON.stringify(data));
    await addOpenApi(app, version);
    addErrorAnswers(app, log, now);
    const auth = createAuth({keys, store, requireHmac, failedAuth: limits.failedAuth, now});
    addHooks(app, {...limits, auth, keys, bodyBytes: BODY_BYTES, log, now});
    mount(app, endpointsOf(ports), {idempotently: createIdempotency(store, log, now), now});
    addStream(app, stream, keys);
    addDocuments(app);
    await app.ready();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}
