import {createHash, createHmac, timingSafeEqual} from 'node:crypto';

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

/** The text that is signed: method, path, timestamp, nonce and hash of the body, separated by single line feeds. */
export function stringToSign({method, path, timestamp, nonce, body}: SignedRequest): string {
  const hash = createHash('sha256').update(body).digest('hex');
  return `${method.toUpperCase()}\n${path}\n${timestamp}\n${nonce}\n${hash}`;
}

/** The signature as lower-case hex: 64 characters. */
export function sign(secret: string, request: SignedRequest): string {
  return createHmac('sha256', secret).update(stringToSign(request)).digest('hex');
}

/** Compares in constant time. Any other length, case or alphabet is wrong: Buffer would stop quietly at a bad digit. */
export function isSignature(given: string, secret: string, request: SignedRequest): boolean {
  const expected = sign(secret, request);
  const fits = /^[0-9a-f]{64}$/.test(given);
  return timingSafeEqual(Buffer.from(fits ? given : '0'.repeat(64)), Buffer.from(expected)) && fits;
}
