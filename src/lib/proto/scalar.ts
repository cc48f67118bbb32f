import {PaynetError} from '../errors.js';
import {safeJson} from './json.js';

/** What the library encodes for a scalar: a 64-bit number as its halves. */
export type Scalar = string | number | boolean | Uint8Array | {low: number; high: number};

const RANGES: Readonly<Record<string, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  sfixed32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sint64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};
const FLOAT_MAX = 3.4028234663852886e38;
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/**
 * A JSON value as a scalar of a protobuf type, never wrapped, rounded or converted: "7" is no number. Only a 64-bit
 * number may be given as its decimal digits, since JSON numbers above 2^53 are not exact.
 * @throws PaynetError FIELD_INVALID that names `path`, what is allowed and what came
 */
export function scalarOf(type: string, value: unknown, path: string): Scalar {
  const range = RANGES[type];
  if (range !== undefined) return integerOf(type, range, value, path);
  switch (type) {
    case 'string':
      if (typeof value === 'string' && !/\p{Cs}/u.test(value)) return value;
      throw invalid(path, 'text', value);
    case 'bool':
      if (typeof value === 'boolean') return value;
      throw invalid(path, 'true or false', value);
    case 'bytes':
      if (typeof value === 'string' && /^(?:[0-9a-f]{2})*$/i.test(value)) return Buffer.from(value, 'hex');
      throw invalid(path, 'hex digits in pairs', value);
    default:
      return floatOf(type, value, path);
  }
}

function integerOf(type: string, [min, max]: readonly [bigint, bigint], value: unknown, path: string): Scalar {
  const wide = type.endsWith('64');
  const whole = wholeNumber(value, wide);
  if (whole === undefined || whole < min || whole > max) {
    const inexact = wide && typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
    const hint = inexact ? 'A number over 2^53 is not exact in JSON: give its digits as text.' : undefined;
    throw invalid(path, `a whole number from ${min} to ${max}`, value, hint);
  }
  return wide ? {low: Number(BigInt.asIntN(32, whole)), high: Number(BigInt.asIntN(32, whole >> 32n))} : Number(whole);
}

function wholeNumber(value: unknown, wide: boolean): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return wide && typeof value === 'string' && isDecimal(value) ? BigInt(value) : undefined;
}

function floatOf(type: string, value: unknown, path: string): number {
  const number = typeof value === 'string' ? NOT_FINITE[value] : value;
  if (typeof number !== 'number') throw invalid(path, 'a number', value);
  if (type === 'float' && Number.isFinite(number) && Math.abs(number) > FLOAT_MAX) {
    throw invalid(path, `a number from ${-FLOAT_MAX} to ${FLOAT_MAX}`, value);
  }
  return number;
}

/** Whether a text is a whole number in its only decimal form: no sign but "-", no leading zero, no exponent. */
export function isDecimal(text: string): boolean {
  return /^(?:0|-?[1-9]\d{0,19})$/.test(text);
}

export function invalid(path: string, allowed: string, value: unknown, hint?: string): PaynetError {
  return new PaynetError(
    'FIELD_INVALID',
    `${path} must be ${allowed}, not ${say(value)}`,
    hint === undefined ? {} : {hint},
  );
}

function say(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = safeJson(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
