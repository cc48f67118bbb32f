import {parseDuration} from '../config/index.js';
import {ExitCode, messageOf, PaynetError} from '../errors.js';

const DAY_MS = 86_400_000;
/** A hundred years: who wants more wants a key that does not expire. */
const MOST_DAYS = 36_500;

/**
 * Reads how long a key is good, as milliseconds: days such as "90d", for which a timer's duration would be too short,
 * or a duration as in the configuration.
 * @throws PaynetError DURATION_INVALID
 */
export function parseLifetime(text: string): number {
  const [, digits] = /^(\d{1,6})d$/.exec(text.trim()) ?? [];
  if (digits === undefined) return lasting(shorter(text), text);
  const days = Number(digits);
  if (days > MOST_DAYS) throw invalid(`${digits}d is longer than ${MOST_DAYS}d, the longest a key may expire after`);
  return lasting(days * DAY_MS, text);
}

function shorter(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw invalid(messageOf(error), 'Days are written like "90d".');
  }
}

function lasting(ms: number, text: string): number {
  if (ms <= 0) throw invalid(`a key that expires after ${text.trim()} could never be used`);
  return ms;
}

function invalid(message: string, hint?: string): PaynetError {
  return new PaynetError('DURATION_INVALID', message, {exitCode: ExitCode.usage, ...(hint !== undefined && {hint})});
}
