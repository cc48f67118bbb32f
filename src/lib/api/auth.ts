import type {IncomingHttpHeaders} from 'node:http';
import type {Store} from '../store/index.js';
import {Buckets, networkOf, type Rate} from './buckets.js';
import {ApiError} from './errors.js';
import {type ActiveKey, type ApiKeys, allows, type Scope} from './keys.js';
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
  /** Who calls, by the headers alone: before a byte of the body is read. @throws ApiError */
  identify(headers: IncomingHttpHeaders, address: string): Promise<ActiveKey>;
  /** Signature, time, nonce, scope, in this order. @throws ApiError */
  verify(key: ActiveKey, request: Signed, scope: Scope): Promise<void>;
}

const WINDOW_S = 300;
const NONCE_MS = 600_000;
const NONCE = /^[A-Za-z0-9_-]{8,128}$/;
const TIMESTAMP = /^\d{1,12}$/;

export function createAuth({keys, store, requireHmac, failedAuth, now}: AuthOptions): Auth {
  const failures = new Buckets(failedAuth);

  function fail(address: string, error: ApiError): never {
    const wait = failures.take(networkOf(address), now());
    throw wait > 0 ? tooOften(wait) : error;
  }

  return {
    async identify(headers, address) {
      const given = keyOf(headers);
      if (given === undefined) fail(address, new ApiError('UNAUTHORIZED'));
      // Whoever guesses must not keep the store busy; whoever is known is not shut out by a neighbour who guesses.
      const wait = keys.isCached(given) ? 0 : failures.look(networkOf(address), now());
      if (wait > 0) throw tooOften(wait);
      return (await keys.find(given)) ?? fail(address, new ApiError('UNAUTHORIZED'));
    },

    async verify(key, {method, url, headers, address, body}, scope) {
      const signature = textOf(headers['x-signature']);
      if (requireHmac || signature !== undefined) {
        const timestamp = textOf(headers['x-timestamp']) ?? '';
        const nonce = textOf(headers['x-nonce']) ?? '';
        const request = {method, path: url, timestamp, nonce, body};
        if (!isSignature(signature ?? '', key.hmacSecret, request)) fail(address, new ApiError('SIGNATURE_INVALID'));
        const time = now();
        if (!TIMESTAMP.test(timestamp) || Math.abs(Math.floor(time / 1000) - Number(timestamp)) > WINDOW_S) {
          throw new ApiError('TIMESTAMP_EXPIRED');
        }
        if (!NONCE.test(nonce)) {
          throw new ApiError('INVALID_PARAMETER', 'X-Nonce must have 8 to 128 letters, digits, "-" or "_"');
        }
        const isNew = await store.run(useNonce, {keyId: key.id, nonce, now: time, expiresAt: time + NONCE_MS});
        if (!isNew) throw new ApiError('NONCE_REPLAYED');
      }
      if (!allows(key.scope, scope)) {
        throw new ApiError('SCOPE_MISSING', `this needs the scope "${scope}"; the API key has "${key.scope}"`);
      }
    },
  };
}

/** The key of X-Api-Key or Authorization: Bearer; two different ones are none. */
function keyOf(headers: IncomingHttpHeaders): string | undefined {
  const plain = textOf(headers['x-api-key']);
  const bearer = /^Bearer ([^ ]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (plain !== undefined && bearer !== undefined && plain !== bearer) return undefined;
  return plain ?? bearer;
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

function tooOften(wait: number): ApiError {
  return new ApiError('RATE_LIMITED', 'too many failed attempts from this address', wait);
}
