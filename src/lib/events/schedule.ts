const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** An endpoint that asks for more patience than this is asked again earlier all the same. */
export const LONGEST_RETRY_AFTER_MS = 10 * MINUTE;

/** When an event that was not accepted is sent again. Milliseconds. */
export interface Schedule {
  /** The waits after the first failures: a restart of the receiver, a lost connection. */
  readonly fast: readonly number[];
  /** The waits after those: an outage. The last one repeats. */
  readonly slow: readonly number[];
  /** From the event's creation; an event that is still in its fast waits has those first. */
  readonly giveUpAfter: number;
}

/** The schedule of the interface: at once, 1, 2, 4, 8, 16 s, then 1, 5, 30 min, then every 2 h, until 72 h are over. */
export function createSchedule(fastRetries = 5, giveUpAfter = 72 * HOUR): Schedule {
  return {
    fast: Array.from({length: fastRetries}, (_, index) => Math.min(2 ** index, 16) * SECOND),
    slow: [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR],
    giveUpAfter,
  };
}

export interface Failure {
  /** How often it has been sent, this time included: from 1. */
  readonly attempts: number;
  /** UTC milliseconds. */
  readonly createdAt: number;
  readonly now: number;
  /** What the endpoint asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** When the event is due again, UTC milliseconds; undefined when it is given up. The last attempt is at the limit. */
export function nextAttempt(
  {fast, slow, giveUpAfter}: Schedule,
  {attempts, createdAt, now, retryAfterMs = 0}: Failure,
): number | undefined {
  const asked = Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS);
  const quick = fast[attempts - 1];
  if (quick !== undefined) return now + Math.max(quick, asked);
  const end = createdAt + giveUpAfter;
  if (now >= end) return undefined;
  const wait = slow[Math.min(attempts - 1 - fast.length, slow.length - 1)] ?? 0;
  return Math.min(now + Math.max(wait, asked), end);
}

/** The milliseconds a Retry-After header asks for: seconds or a date. Undefined when it says nothing understandable. */
export function parseRetryAfter(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * SECOND;
  // Dates begin with the day's name; Date.parse alone would take "-5" for a date, too.
  if (!/^[A-Z][a-z]+,? /.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
