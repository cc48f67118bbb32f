import {createHmac, hash, type KeyObject} from 'node:crypto';
import {PaynetError} from '../errors.js';

export interface SignedRequest {
  readonly method: string;
  /** Without host, with the query as it is sent. */
  readonly path: string;
  /** Unix seconds, decimal. */
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: Uint8Array;
}

const HASH_OF_NOTHING = hash('sha256', '', 'hex');

/**
 * The text that is signed (iot-middleware.md §7.1 b): method, path, timestamp, nonce and hash of the body, separated by
 * single line feeds.
 */
export function stringToSign({method, path, timestamp, nonce, body}: SignedRequest): string {
  const digest = body.length === 0 ? HASH_OF_NOTHING : hash('sha256', body, 'hex');
  return `${method.toUpperCase()}\n${path}\n${timestamp}\n${nonce}\n${digest}`;
}

/** The interface's own signature, both ways: lower-case hex, 64 characters. A secret is used as it is written. */
export function signRequest(secret: string | KeyObject, request: SignedRequest): string {
  return createHmac('sha256', secret).update(stringToSign(request)).digest('hex');
}

const PREFIX = 'whsec_';

/**
 * The key of a secret in Standard Webhooks: the bytes that stand in base64 behind "whsec_"; a secret written otherwise
 * is its own key.
 * @throws PaynetError EVENT_SECRET
 */
export function standardKey(secret: string): Buffer {
  if (secret === '') throw wrongSecret('a webhook secret is empty');
  if (!secret.startsWith(PREFIX)) return Buffer.from(secret);
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, 'base64');
  // Node's decoder skips what is no base64.
  const whole = key.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
  if (!whole || key.length < 24 || key.length > 64) {
    throw wrongSecret('a webhook secret beginning with whsec_ is not 24 to 64 bytes in base64');
  }
  return key;
}

function wrongSecret(message: string): PaynetError {
  return new PaynetError('EVENT_SECRET', message, {
    hint: "Make one with: node -p \"'whsec_' + crypto.randomBytes(32).toString('base64')\"",
  });
}

/** The Standard Webhooks signature: "v1," and base64. */
export function standardSignature(
  key: Uint8Array,
  {id, timestamp, body}: {id: string; timestamp: string; body: Uint8Array},
): string {
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
}

/** An event's id where no dot may be: every byte that is not a letter, a digit, "-", "_" or ":" as %XX. */
export function webhookId(eventId: string): string {
  return percent(eventId, /[^A-Za-z0-9:_-]/gu);
}

export interface SignedEvent extends Omit<SignedRequest, 'method'> {
  readonly eventId: string;
  readonly type: string;
  /** The first makes X-Signature; while secrets change, the others are beside it. */
  readonly secrets: readonly string[];
  readonly apiKey?: string | undefined;
}

/** The headers of one attempt to push an event. */
export function eventHeaders({eventId, type, secrets, apiKey, ...request}: SignedEvent): Record<string, string> {
  const [first = '', ...others] = secrets.map((secret) => signRequest(secret, {method: 'POST', ...request}));
  const id = webhookId(eventId);
  const signed = {id, timestamp: request.timestamp, body: request.body};
  return {
    'content-type': 'application/json',
    'x-event-type': percent(type, NOT_IN_HEADER),
    'x-event-id': percent(eventId, NOT_IN_HEADER),
    'x-timestamp': request.timestamp,
    'x-nonce': request.nonce,
    'x-signature': first,
    ...(others.length === 0 ? {} : {'x-signature-others': others.join(',')}),
    ...(apiKey === undefined ? {} : {'x-api-key': apiKey}),
    'webhook-id': id,
    'webhook-timestamp': request.timestamp,
    'webhook-signature': secrets.map((secret) => standardSignature(standardKey(secret), signed)).join(' '),
  };
}

const NOT_IN_HEADER = /[^\x21-\x7e]/gu;

function percent(text: string, what: RegExp): string {
  return text.replace(what, (found) =>
    Array.from(Buffer.from(found), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
}
