/** So many different events in a row were not accepted: it is the endpoint. One that nobody wants is no reason. */
const OPENS_AT = 5;
const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;

/** What is known of an endpoint's health. Times are of a clock that is never set, milliseconds. */
export interface Breaker {
  /** The events that were not accepted since one was; at most as many as it takes to open. */
  readonly failed: readonly string[];
  /** There was no answer at all among them. */
  readonly silent: boolean;
  /** Undefined: all may be sent. Otherwise nothing until then, and then one at a time. */
  readonly openUntil: number | undefined;
  readonly pauseMs: number;
}

export const closedBreaker: Breaker = {failed: [], silent: false, openUntil: undefined, pauseMs: FIRST_PAUSE_MS};

export interface BreakerFailure {
  readonly eventId: string;
  readonly now: number;
  readonly silent: boolean;
  /** The endpoint itself asked for a pause: that is for all events. */
  readonly retryAfterMs?: number | undefined;
}

export function afterFailure(breaker: Breaker, {eventId, now, silent, retryAfterMs}: BreakerFailure): Breaker {
  const failed = breaker.failed.includes(eventId) ? breaker.failed : [...breaker.failed, eventId].slice(-OPENS_AT);
  const next = {...breaker, failed, silent: breaker.silent || silent};
  if (retryAfterMs !== undefined) return {...next, openUntil: Math.max(now + retryAfterMs, breaker.openUntil ?? 0)};
  if (breaker.openUntil === undefined && failed.length < OPENS_AT) return next;
  // What was under way when it opened has failed for the same reason: that is no further step.
  if (breaker.openUntil !== undefined && now < breaker.openUntil) return next;
  return {...next, openUntil: now + breaker.pauseMs, pauseMs: Math.min(breaker.pauseMs * 2, LONGEST_PAUSE_MS)};
}

/** Whether an accepted event means that the endpoint is back: then nothing needs to wait any longer. */
export function isBack({openUntil, silent}: Breaker): boolean {
  return openUntil !== undefined || silent;
}
