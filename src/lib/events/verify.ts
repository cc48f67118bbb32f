import {timingSafeEqual} from 'node:crypto';
import type {IncomingHttpHeaders} from 'node:http';
import {signRequest} from './signature.js';

/** A webhook as it arrived. */
export interface ReceivedWebhook {
  /** Path and query, as received. */
  path: string;
  headers: IncomingHttpHeaders;
  /** As it came in, before anything reads it. */
  body: Uint8Array;
  /** The secrets that may have signed it: two while one is changed for another. */
  secrets: readonly string[];
  /** UTC milliseconds; now unless given. */
  now?: number;
}

export type WebhookVerdict = {ok: true} | {ok: false; reason: 'signature' | 'time'};

/** How far the sender's clock may be away: what is older may be a replay. */
const WINDOW_S = 300;

/** Whether a webhook was sent by the server that shares a secret with the receiver (iot-middleware.md §8.1). */
export function verifyWebhook({path, headers, body, secrets, now = Date.now()}: ReceivedWebhook): WebhookVerdict {
  const [signature, timestamp, nonce] = ['x-signature', 'x-timestamp', 'x-nonce'].map((name) => textOf(headers[name]));
  const others = textOf(headers['x-signature-others']).split(',');
  const request = {method: 'POST', path, timestamp: timestamp ?? '', nonce: nonce ?? '', body};
  const expected = secrets.map((secret) => signRequest(secret, request));
  const good = expected.some((one) => [signature ?? '', ...others].some((given) => isSame(one, given)));
  if (!good) return {ok: false, reason: 'signature'};
  const late = Math.abs(now / 1000 - Number(timestamp));
  return late <= WINDOW_S ? {ok: true} : {ok: false, reason: 'time'};
}

const textOf = (header: string | string[] | undefined): string => (typeof header === 'string' ? header : '');

function isSame(expected: string, given: string): boolean {
  const [one, other] = [Buffer.from(expected), Buffer.from(given)];
  return one.length === other.length && timingSafeEqual(one, other);
}
