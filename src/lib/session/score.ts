/** How the time since a device was heard counts: less and less, or in full until the timeout. */
export type Freshness = 'graded' | 'step';

/** What the score is made of, each as milliseconds ago; what has not happened is left out. */
export interface ScoreFacts {
  /** Infinity for a device that is not connected. */
  readonly heardAgoMs: number;
  /** Its connection was lost. */
  readonly downAgoMs?: number | undefined;
  /** It did not acknowledge a command in time. */
  readonly ackTimeoutAgoMs?: number | undefined;
}

export interface ScoreRules {
  /** Silence up to which a device without penalties is online; over 0. */
  readonly timeoutMs: number;
  readonly freshness: Freshness;
}

/** How long a lost connection and a missing ack count. */
export const PENALTY_MS = 5 * 60_000;

const DOWN_PENALTY = 20;
const ACK_TIMEOUT_PENALTY = 30;
const ONLINE_SCORE = 50;

/**
 * How surely a device is online: whole hundredths, 0 to 100 (iot-middleware.md §3.1). Graded, it is fresh for half of
 * the timeout, half as fresh at its end, and not at all after it: so the verdict changes exactly at the timeout, and
 * earlier for a device with penalties.
 */
export function onlineScore(facts: ScoreFacts, {timeoutMs, freshness}: ScoreRules): number {
  const {heardAgoMs, downAgoMs = Number.POSITIVE_INFINITY, ackTimeoutAgoMs = Number.POSITIVE_INFINITY} = facts;
  // After the timeout nothing is left, whatever the penalties; also where nothing was ever heard.
  if (!(heardAgoMs <= timeoutMs)) return 0;
  let score = 100;
  // Rounded down, and divided last: a verdict changes at its millisecond, not up to half a hundredth after it.
  if (freshness === 'graded') score = Math.min(100, 150 - Math.ceil((100 * heardAgoMs) / timeoutMs));
  if (downAgoMs <= PENALTY_MS) score -= DOWN_PENALTY;
  if (ackTimeoutAgoMs <= PENALTY_MS) score -= ACK_TIMEOUT_PENALTY;
  return Math.max(0, score);
}

export function isOnlineScore(score: number): boolean {
  return score >= ONLINE_SCORE;
}
