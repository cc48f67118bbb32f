import {type KeyObject, timingSafeEqual} from 'node:crypto';
import {type SignedRequest, signRequest} from '../events/index.js';

const SIGNATURE = /^[0-9a-f]{64}$/;
const NO_SIGNATURE = '0'.repeat(64);

/** Compares in constant time. Any other length, case or alphabet is wrong: Buffer would stop quietly at a bad digit. */
export function isSignature(given: string, secret: KeyObject, request: SignedRequest): boolean {
  const expected = signRequest(secret, request);
  const fits = SIGNATURE.test(given);
  return timingSafeEqual(Buffer.from(fits ? given : NO_SIGNATURE, 'latin1'), Buffer.from(expected, 'latin1')) && fits;
}
