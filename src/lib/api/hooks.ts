import type {FastifyInstance, FastifyRequest} from 'fastify';
import type {Log} from '../observe/index.js';
import type {Auth} from './auth.js';
import {Buckets, networkOf, type Rate} from './buckets.js';
import {ApiError} from './errors.js';
import {parseJson} from './json.js';
import type {ActiveKey, ApiKeys} from './keys.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; null where nobody needs to say. */
    caller: ActiveKey | null;
    /** As it came in; null when nothing did. */
    rawBody: Uint8Array | null;
  }
}

export interface HookOptions {
  auth: Auth;
  keys: ApiKeys;
  bodyBytes: number;
  total: Rate;
  perAddress?: Rate | undefined;
  perKey?: Rate | undefined;
  log: Pick<Log, 'debug' | 'warn'>;
  now: () => number;
}

export const EMPTY = new Uint8Array();

/**
 * What every request goes through, in this order: rates, size and key by the headers alone; then, with the body,
 * signature, time, nonce and scope; only then is the body read as JSON.
 */
export function addHooks(app: FastifyInstance, options: HookOptions): void {
  const {auth, keys, bodyBytes, log, now} = options;
  const total = new Buckets(options.total);
  const perAddress = options.perAddress && new Buckets(options.perAddress);
  const perKey = options.perKey && new Buckets(options.perKey);

  app.decorateRequest('caller', null);
  app.decorateRequest('rawBody', null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', {parseAs: 'buffer'}, (request, body, done) => {
    request.rawBody = body as Buffer;
    done(null, undefined);
  });

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    reply.header('x-content-type-options', 'nosniff');
    reply.header('cache-control', 'no-store');
    const {ip, headers} = request;
    limit(total, '', now());
    limit(perAddress, networkOf(ip), now());
    if (!needsKey(request)) return;
    if (Number(headers['content-length'] ?? 0) > bodyBytes) throw new ApiError('PAYLOAD_TOO_LARGE');
    request.caller = await auth.identify(headers, ip);
    limit(perKey, request.caller.id, now());
  });

  app.addHook('preValidation', async (request) => {
    const {caller, headers, ip} = request;
    if (caller === null) return;
    const rawBody = request.rawBody ?? EMPTY;
    const {url = '', method = ''} = request.raw;
    const scope = request.routeOptions.config.scope ?? 'read';
    await auth.verify(caller, {method, url, headers, address: ip, body: rawBody}, scope);
    // Nobody waits for it, and nothing depends on it.
    keys.used(caller.id).catch((error: unknown) => {
      log.warn({err: error, key: caller.id}, 'the use of an API key could not be noted');
    });
    if (method === 'POST') request.body = rawBody.length === 0 ? {} : parseJson(rawBody);
    readIntegers(request);
  });

  app.addHook('onResponse', async (request, reply) => {
    log.debug(
      {
        request: request.id,
        method: request.method,
        path: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        key: request.caller?.id,
        ms: Math.round(reply.elapsedTime),
      },
      'request answered',
    );
  });
}

/** Below the interface everything needs a key, what is not there included: strangers learn nothing. */
export function needsKey(request: FastifyRequest): boolean {
  return request.routeOptions.config.scope !== undefined || (request.is404 && /^\/api\/v1(?:[/?]|$)/.test(request.url));
}

function limit(buckets: Buckets | undefined, name: string, now: number): void {
  const wait = buckets?.take(name, now) ?? 0;
  if (wait > 0) throw new ApiError('RATE_LIMITED', undefined, wait);
}

/** A query is text: what is written as a plain whole number becomes one, anything else is left for the schema to refuse. */
function readIntegers(request: FastifyRequest): void {
  const query = request.query as Record<string, unknown>;
  for (const name of request.routeOptions.config.integers ?? []) {
    const value = query[name];
    if (typeof value === 'string' && /^(?:0|[1-9][0-9]{0,14})$/.test(value)) query[name] = Number(value);
  }
}
