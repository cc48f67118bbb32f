import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {formatDuration, LONGEST_DURATION, parseDuration} from '../../src/lib/config/index.js';

describe('parseDuration', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['70s', 70_000],
    ['1m', 60_000],
    ['12h', 43_200_000],
    ['1m30s', 90_000],
    ['1h2m3s4ms', 3_723_004],
    ['1.5s', 1500],
    ['0.07s', 70],
    [' 5s ', 5000],
    [250, 250],
  ])('%j is %d ms', (value, ms) => {
    expect(parseDuration(value)).toBe(ms);
  });

  test.each([
    ['70', '"70" needs a unit: ms, s, m or h, as in "70s"'],
    ['', '"" is not a duration: write it like "500ms", "70s", "12h" or "1m30s"'],
    ['soon', '"soon" is not a duration: write it like "500ms", "70s", "12h" or "1m30s"'],
    ['30s1m', '"30s1m" is not a duration: write it like "500ms", "70s", "12h" or "1m30s"'],
    ['1e3s', '"1e3s" is not a duration: write it like "500ms", "70s", "12h" or "1m30s"'],
    ['5 s', '"5 s" is not a duration: write it like "500ms", "70s", "12h" or "1m30s"'],
    ['-5s', '"-5s" is negative: a duration is 0 or more'],
    [-1, '-1 is negative: a duration is 0 or more'],
    ['0.0001s', '"0.0001s" is not a whole number of milliseconds'],
    [1.5, '1.5 is not a whole number of milliseconds'],
    [Number.NaN, 'NaN is not a whole number of milliseconds'],
    ['600h', '"600h" is longer than 596h (2^31-1 ms), the longest timer there is'],
  ])('refuses %j', (value, message) => {
    expect(() => parseDuration(value)).toThrow(
      expect.objectContaining({code: 'DURATION_INVALID', exitCode: 2, message}),
    );
  });

  it('never answers anything but a whole number in range, or its own error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.hms]{1,12}$/)), (text) => {
        let ms: number;
        try {
          ms = parseDuration(text);
        } catch (error) {
          expect(error).toMatchObject({code: 'DURATION_INVALID'});
          return;
        }
        expect(Number.isInteger(ms) && ms >= 0 && ms <= LONGEST_DURATION).toBe(true);
      }),
    );
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [70_000, '1m10s'],
    [64_000, '1m4s'],
    [1500, '1s500ms'],
    [3_600_000, '1h'],
  ])('%d ms is %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('is read back as the same number', () => {
    fc.assert(
      fc.property(fc.integer({min: 0, max: LONGEST_DURATION}), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });
});
