import type {Log} from '../observe/index.js';
import type {Auth} from './auth.js';
import {readBody} from './body.js';
import {Buckets, networkOf, type Rate} from './buckets.js';
import {ApiError} from './errors.js';
import type {Exchange} from './exchange.js';
import type {ApiKeys, Scope} from './keys.js';

export interface GateOptions {
  auth: Auth;
  keys: ApiKeys;
  bodyBytes: number;
  total: Rate;
  perAddress?: Rate | undefined;
  perKey?: Rate | undefined;
  log: Pick<Log, 'warn'>;
  now: () => number;
}

/**
 * What every request goes through, in this order: rates, size and key by the headers alone; then, with the body,
 * signature, time, nonce and scope. Without a scope the request is for everybody, and its body is not read.
 * @throws ApiError
 */
export type Gate = (exchange: Exchange, scope: Scope | undefined) => Promise<void>;

export function createGate({auth, keys, bodyBytes, log, now, ...rates}: GateOptions): Gate {
  const total = new Buckets(rates.total);
  const perAddress = rates.perAddress && new Buckets(rates.perAddress);
  const perKey = rates.perKey && new Buckets(rates.perKey);

  return async (exchange, scope) => {
    const {request, address, method} = exchange;
    const {headers} = request;
    limit(total, '', now());
    if (perAddress !== undefined) limit(perAddress, networkOf(address), now());
    if (scope === undefined) return;
    if (Number(headers['content-length'] ?? 0) > bodyBytes) throw new ApiError('PAYLOAD_TOO_LARGE');
    const known = auth.identify(headers, address);
    const caller = known instanceof Promise ? await known : known;
    exchange.caller = caller;
    if (perKey !== undefined) limit(perKey, caller.id, now());
    if (method !== 'GET' && method !== 'HEAD') exchange.rawBody = await readBody(request, bodyBytes);
    const verified = auth.verify(caller, {method, url: exchange.url, headers, address, body: exchange.rawBody}, scope);
    if (verified !== undefined) await verified;
    // Nobody waits for it, and nothing depends on it.
    keys.used(caller.id)?.catch((error: unknown) => {
      log.warn({err: error, key: caller.id}, 'the use of an API key could not be noted');
    });
  };
}

function limit(buckets: Buckets, name: string, now: number): void {
  const wait = buckets.take(name, now);
  if (wait > 0) throw new ApiError('RATE_LIMITED', undefined, wait);
}
