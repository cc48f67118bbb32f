import {ExitCode, PaynetError} from '../errors.js';
import {quote} from './errors.js';

/** Node fires a timer beyond this after 1 ms instead of later; no duration may be longer. */
export const LONGEST_DURATION = 2 ** 31 - 1;

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const SHAPE = /^(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$/;

/**
 * Reads a duration as milliseconds.
 * Text is like "500ms", "70s", "1.5s", "12h" or "1m30s" (units h, m, s, ms, the larger first);
 * a number counts milliseconds. Whole milliseconds from 0 to 2^31-1 (about 24 days).
 * @throws PaynetError DURATION_INVALID
 */
export function parseDuration(value: string | number): number {
  if (typeof value === 'number') return checked(value, `${value}`);
  const text = value.trim();
  const parts = text === '' ? null : SHAPE.exec(text);
  if (parts === null) throw invalid(explain(text));
  let total = 0;
  UNITS.forEach(([, size], index) => {
    total += Number(parts[index + 1] ?? 0) * size;
  });
  // Decimals such as 0.07s are not exact in binary; a difference below a microsecond is rounding, not meaning.
  const whole = Math.round(total);
  return checked(Math.abs(total - whole) < 1e-3 ? whole : total, quote(text));
}

/** The shortest text that `parseDuration` reads back as the same number: 90000 → "1m30s". */
export function formatDuration(ms: number): string {
  let rest = checked(ms, `${ms}`);
  if (rest === 0) return '0s';
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}

function checked(ms: number, shown: string): number {
  if (ms < 0) throw invalid(`${shown} is negative: a duration is 0 or more`);
  if (!Number.isInteger(ms)) throw invalid(`${shown} is not a whole number of milliseconds`);
  if (ms > LONGEST_DURATION) throw invalid(`${shown} is longer than 596h (2^31-1 ms), the longest timer there is`);
  return ms;
}

function explain(text: string): string {
  const shown = quote(text);
  if (/^\d+(\.\d+)?$/.test(text)) return `${shown} needs a unit: ms, s, m or h, as in "${text}s"`;
  if (text.startsWith('-')) return `${shown} is negative: a duration is 0 or more`;
  return `${shown} is not a duration: write it like "500ms", "70s", "12h" or "1m30s"`;
}

function invalid(message: string): PaynetError {
  return new PaynetError('DURATION_INVALID', message, {exitCode: ExitCode.usage});
}
