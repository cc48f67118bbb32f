import {createHash, randomInt} from 'node:crypto';
import type {Log} from '../observe/index.js';
import type {Store} from '../store/index.js';
import {ApiError} from './errors.js';
import {keepResponse, reserve} from './operations.js';

export interface IdempotentRequest {
  /** The Idempotency-Key header. */
  key: string;
  /** Keys of different callers have nothing to do with each other. */
  keyId: string;
  method: string;
  url: string;
  body: Uint8Array;
  /** HTTP status of success. */
  status: number;
}

export interface IdempotentAnswer {
  status: number;
  data: unknown;
  replayed: boolean;
}

export type Idempotency = (
  request: IdempotentRequest,
  work: (orderNo: string) => Promise<unknown>,
) => Promise<IdempotentAnswer>;

const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Answers the same request under the same key with the first answer, for 24 hours. The number for a new order is
 * reserved with the key: a second try after a crash in between makes the same order, not another one. A refusal is not
 * kept, since it did nothing: the same key may be tried again.
 */
export function createIdempotency(store: Store, log: Pick<Log, 'warn'>, now: () => number): Idempotency {
  return async ({key, keyId, method, url, body, status}, work) => {
    const bodyHash = createHash('sha256').update(`${method}\n${url}\n`).update(body).digest('hex');
    const name = `${keyId}:${key}`;
    const time = now();
    const response = JSON.stringify({orderNo: newOrderNo(time)});
    const kept = await store.run(reserve, {key: name, bodyHash, response, now: time, before: time - KEPT_MS});
    if (kept.bodyHash !== bodyHash) throw new ApiError('IDEMPOTENCY_CONFLICT');
    const earlier = JSON.parse(kept.response) as {orderNo: string; data?: unknown};
    if (kept.status !== null) return {status: kept.status, data: earlier.data, replayed: true};
    const data = await work(earlier.orderNo);
    try {
      await store.run(keepResponse, {key: name, status, response: JSON.stringify({...earlier, data})});
    } catch (error) {
      // It is done, and the caller must hear so; another try is answered by the order number.
      log.warn({err: error}, 'the answer to a request with an Idempotency-Key could not be kept');
    }
    return {status, data, replayed: false};
  };
}

/** Before this, kept answers are forgotten. UTC milliseconds. */
export const forgottenBefore = (now: number): number => now - KEPT_MS;

const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** A number for an order whose sender gave none. Four letters would collide about once a minute under full load. */
export function newOrderNo(now: number): string {
  const letters = Array.from({length: 8}, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return `THD${now}${letters}`;
}
