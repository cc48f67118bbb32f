import type {IncomingHttpHeaders} from 'node:http';
import type {Store} from '../store/index.js';
import {Buckets, networkOf, type Rate} from './buckets.js';
import {ApiError} from './errors.js';
import {type ActiveKey, type ApiKeys, allows, type Scope} from './keys.js';
import {Nonces} from './nonces.js';
import {useNonce} from './operations.js';
import {isSignature} from './signature.js';

export interface AuthOptions {
  keys: ApiKeys;
  store: Store;
  requireHmac: boolean;
  /** How often one network address may fail. */
  failedAuth: Rate;
  now: () => number;
}

export interface Signed {
  method: string;
  /** Path and query, as received. */
  url: string;
  headers: IncomingHttpHeaders;
  address: string;
  body: Uint8Array;
}

export interface Auth {
  /** Who calls, by the headers alone: before a byte of the body is read; at once when known. @throws ApiError */
  identify(headers: IncomingHttpHeaders, address: string): ActiveKey | Promise<ActiveKey>;
  /** Signature, time, nonce, scope, in this order; at once for a read. @throws ApiError */
  verify(key: ActiveKey, request: Signed, scope: Scope): void | Promise<void>;
}

const WINDOW_S = 300;
const NONCE_MS = 600_000;
const NONCE = /^[A-Za-z0-9_-]{8,128}$/;
const BEARER = /^Bearer ([^ ]+)$/i;
const TIMESTAMP = /^\d{1,12}$/;

export function createAuth({keys, store, requireHmac, failedAuth, now}: AuthOptions): Auth {
  const failures = new Buckets(failedAuth);
  const reads = new Nonces(NONCE_MS);

  function fail(address: string, error: ApiError): never {
    const wait = failures.take(networkOf(address), now());
    throw wait > 0 ? tooOften(wait) : error;
  }

  /** What a request is signed with must be right and new: answers its nonce. */
  function checkSigned(key: ActiveKey, {method, url, headers, address, body}: Signed, time: number): string {
    const timestamp = textOf(headers['x-timestamp']) ?? '';
    const nonce = textOf(headers['x-nonce']) ?? '';
    const signature = textOf(headers['x-signature']) ?? '';
    if (!isSignature(signature, key.hmacSecret, {method, path: url, timestamp, nonce, body})) {
      fail(address, new ApiError('SIGNATURE_INVALID'));
    }
    if (!TIMESTAMP.test(timestamp) || Math.abs(Math.floor(time / 1000) - Number(timestamp)) > WINDOW_S) {
      throw new ApiError('TIMESTAMP_EXPIRED');
    }
    if (!NONCE.test(nonce)) {
      throw new ApiError('INVALID_PARAMETER', 'X-Nonce must have 8 to 128 letters, digits, "-" or "_"');
    }
    return nonce;
  }

  /**
   * A read changes nothing, so that a repeated one harms nobody who is not harmed by the first: its nonce is kept in
   * memory alone, which costs no write for each. What changes something is refused on every node, and after a restart.
   */
  function isNew(keyId: string, nonce: string, method: string, time: number): boolean | Promise<boolean> {
    const name = `${keyId}:${nonce}`;
    if (method === 'GET' || method === 'HEAD') return reads.use(name, time);
    if (reads.has(name, time)) return false;
    return store.run(useNonce, {keyId, nonce, now: time, expiresAt: time + NONCE_MS});
  }

  async function lookUp(given: string, address: string): Promise<ActiveKey> {
    // Whoever guesses must not keep the store busy; whoever is known is not shut out by a neighbour who guesses.
    const wait = failures.look(networkOf(address), now());
    if (wait > 0) throw tooOften(wait);
    return (await keys.find(given)) ?? fail(address, new ApiError('UNAUTHORIZED'));
  }

  return {
    identify(headers, address) {
      const given = keyOf(headers);
      if (given === undefined) fail(address, new ApiError('UNAUTHORIZED'));
      return keys.cached(given) ?? lookUp(given, address);
    },

    verify(key, request, scope) {
      if (!requireHmac && request.headers['x-signature'] === undefined) {
        requireScope(key, scope);
        return undefined;
      }
      const time = now();
      const fresh = isNew(key.id, checkSigned(key, request, time), request.method, time);
      const settle = (free: boolean): void => {
        if (!free) throw new ApiError('NONCE_REPLAYED');
        requireScope(key, scope);
      };
      return typeof fresh === 'boolean' ? settle(fresh) : fresh.then(settle);
    },
  };
}

function requireScope(key: ActiveKey, scope: Scope): void {
  if (allows(key.scope, scope)) return;
  throw new ApiError('SCOPE_MISSING', `this needs the scope "${scope}"; the API key has "${key.scope}"`);
}

/** The key of X-Api-Key or Authorization: Bearer; two different ones are none. */
function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const plain = textOf(headers['x-api-key']);
  if (headers.authorization === undefined) return plain;
  const bearer = BEARER.exec(headers.authorization)?.[1];
  if (plain !== undefined && bearer !== undefined && plain !== bearer) return undefined;
  return plain ?? bearer;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function tooOften(wait: number): ApiError {
  return new ApiError('RATE_LIMITED', 'too many failed attempts from this address', wait);
}
