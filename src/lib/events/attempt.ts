import {randomBytes} from 'node:crypto';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import type {ClaimedEvent} from './operations.js';
import {parseRetryAfter} from './schedule.js';
import {eventHeaders, standardKey} from './signature.js';
import type {Target} from './target.js';

/** What became of an attempt to push an event. `error` is for people: short, and without addresses. */
export type Outcome =
  | {readonly kind: 'pushed'}
  /** The endpoint wants nothing more: 410. */
  | {readonly kind: 'gone'; readonly error: string}
  | {
      readonly kind: 'failed';
      readonly error: string;
      /** There was no answer. */
      readonly silent: boolean;
      readonly retryAfterMs?: number | undefined;
    };

export interface Credentials {
  /** Beside the event, as X-Api-Key: says who calls. */
  readonly apiKey?: string | undefined;
  /** What the requests are signed with; during a change of secrets all that are valid, X-Signature's first. */
  readonly secrets: readonly string[];
}

/** @throws PaynetError EVENT_SECRET, EVENT_API_KEY */
export function checkCredentials({apiKey, secrets}: Credentials): void {
  if (secrets.length === 0) throw new PaynetError('EVENT_SECRET', 'there is no secret to sign webhooks with');
  for (const secret of secrets) standardKey(secret);
  if (apiKey !== undefined && !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new PaynetError('EVENT_API_KEY', "the webhook's API key has characters that no header can hold");
  }
}

/** Pushes an event once: with a body, a time, a nonce and signatures of this attempt alone. Never rejects. */
export async function attempt(
  event: ClaimedEvent,
  target: Target,
  credentials: Credentials,
  now: () => number,
): Promise<Outcome> {
  try {
    const body = Buffer.from(envelope(event, randomBytes(4).toString('hex')));
    const headers = eventHeaders({
      ...credentials,
      eventId: event.event_id,
      type: event.type,
      path: target.path,
      timestamp: String(Math.floor(now() / 1000)),
      nonce: randomBytes(12).toString('hex'),
      body,
    });
    const {status, retryAfter} = await target.post(headers, body);
    if (status >= 200 && status < 300) return {kind: 'pushed'};
    const error = `HTTP ${status}`;
    if (status === 410) return {kind: 'gone', error};
    const retryAfterMs = status === 429 || status === 503 ? parseRetryAfter(retryAfter, now()) : undefined;
    return {kind: 'failed', error, silent: false, retryAfterMs};
  } catch (error) {
    return {kind: 'failed', error: messageOf(error), silent: codeOf(error) === 'EVENT_NOT_ANSWERED'};
  }
}

/** The body; `data` goes in as it was stored. */
export function envelope(event: ClaimedEvent, nonce: string): string {
  const head = JSON.stringify({
    event_id: event.event_id,
    event_type: event.type,
    device_phy_id: event.device_id,
    timestamp: Math.floor(event.created_at / 1000),
    nonce,
    ...(event.order_no === null ? {} : {order_no: event.order_no, sequence_no: event.sequence}),
  });
  return `${head.slice(0, -1)},"data":${event.data}}`;
}
