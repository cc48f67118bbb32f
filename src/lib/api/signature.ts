import {createHmac, hash, type KeyObject, timingSafeEqual} from 'node:crypto';

export interface SignedRequest {
  method: string;
  /** Path and query, as they were received. */
  path: string;
  /** Unix seconds, as text. */
  timestamp: string;
  nonce: string;
  /** The raw bytes. */
  body: Uint8Array;
}

const HASH_OF_NOTHING = hash('sha256', '', 'hex');
const SIGNATURE = /^[0-9a-f]{64}$/;
const NO_SIGNATURE = '0'.repeat(64);

/** The text that is signed: method, path, timestamp, nonce and hash of the body, separated by single line feeds. */
export function stringToSign({method, path, timestamp, nonce, body}: SignedRequest): string {
  const digest = body.length === 0 ? HASH_OF_NOTHING : hash('sha256', body, 'hex');
  return `${method.toUpperCase()}\n${path}\n${timestamp}\n${nonce}\n${digest}`;
}

/** The signature as lower-case hex: 64 characters. */
export function sign(secret: string | KeyObject, request: SignedRequest): string {
  return createHmac('sha256', secret).update(stringToSign(request)).digest('hex');
}

/** Compares in constant time. Any other length, case or alphabet is wrong: Buffer would stop quietly at a bad digit. */
export function isSignature(given: string, secret: KeyObject, request: SignedRequest): boolean {
  const expected = sign(secret, request);
  const fits = SIGNATURE.test(given);
  return timingSafeEqual(Buffer.from(fits ? given : NO_SIGNATURE, 'latin1'), Buffer.from(expected, 'latin1')) && fits;
}
