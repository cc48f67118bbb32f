import {createHmac, randomBytes, timingSafeEqual} from 'node:crypto';

const PREFIX = 'r1.';
const MAC_BYTES = 16;
const DEFAULT_LIFE_MS = 24 * 60 * 60 * 1000;

/**
 * Resume tokens that need no memory: the device's id and an end time under a MAC. They are good until their time has
 * passed or the process that made them has ended; a device whose token is not good any more logs in as if anew.
 */
export class ResumeTokens {
  readonly #key: Buffer;
  readonly #lifeMs: number;

  constructor(key: Buffer = randomBytes(32), lifeMs: number = DEFAULT_LIFE_MS) {
    this.#key = key;
    this.#lifeMs = lifeMs;
  }

  issue(deviceId: string, now = Date.now()): string {
    const body = Buffer.concat([timeBytes(now + this.#lifeMs), randomBytes(6), Buffer.from(deviceId, 'utf8')]);
    return `${PREFIX}${Buffer.concat([this.#mac(body), body]).toString('base64url')}`;
  }

  /** Whether a token was issued to this device and is still good. */
  isGood(token: string, deviceId: string, now = Date.now()): boolean {
    if (!looksLikeResumeToken(token)) return false;
    const bytes = Buffer.from(token.slice(PREFIX.length), 'base64url');
    if (bytes.length < MAC_BYTES + 12) return false;
    const body = bytes.subarray(MAC_BYTES);
    if (!timingSafeEqual(bytes.subarray(0, MAC_BYTES), this.#mac(body))) return false;
    return body.readUIntBE(0, 6) > now && body.subarray(12).toString('utf8') === deviceId;
  }

  #mac(body: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(body).digest().subarray(0, MAC_BYTES);
  }
}

/** The longest id has 128 characters, which are up to 384 bytes: a token of 553 characters. */
const LONGEST_TOKEN = 600;

const looksLikeResumeToken = (token: string): boolean => token.startsWith(PREFIX) && token.length <= LONGEST_TOKEN;

function timeBytes(time: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUIntBE(time, 0, 6);
  return bytes;
}
