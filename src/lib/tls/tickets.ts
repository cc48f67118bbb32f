import {randomBytes} from 'node:crypto';
import type {Server} from 'node:tls';

const TWELVE_HOURS_MS = 43_200_000;
/** 16 bytes of name, 16 of HMAC key, 16 of AES key. */
const TICKET_KEY_BYTES = 48;
/** A longer timer fires at once in Node. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface TicketKeys {
  /** New keys now: every session ticket given out so far becomes useless. To be called at each revocation. */
  rotateNow(): void;
  stop(): void;
}

/**
 * Gives a server new keys for its session tickets, at once and then every `everyMs` (1 to 2,147,483,647; twelve hours
 * unless told). A resumed handshake checks no certificate, so keys must not live long.
 */
export function rotateTicketKeys(server: Server, everyMs = TWELVE_HOURS_MS): TicketKeys {
  if (!Number.isInteger(everyMs) || everyMs < 1 || everyMs > LONGEST_TIMER_MS) {
    throw new RangeError(`everyMs must be 1 to ${LONGEST_TIMER_MS}: ${everyMs}`);
  }
  const rotateNow = (): void => server.setTicketKeys(randomBytes(TICKET_KEY_BYTES));
  rotateNow();
  const timer = setInterval(rotateNow, everyMs);
  timer.unref();
  return {rotateNow, stop: () => clearInterval(timer)};
}
