import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createSchedule} from '../../src/lib/events/index.js';
import {LONGEST_RETRY_AFTER_MS, nextAttempt, parseRetryAfter} from '../../src/lib/events/schedule.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const schedule = createSchedule();

describe('the schedule', () => {
  it('is that of the interface, until 72 hours after creation', () => {
    const waits: number[] = [];
    let now = 0;
    for (let attempts = 1; ; attempts += 1) {
      const next = nextAttempt(schedule, {attempts, createdAt: 0, now});
      if (next === undefined) break;
      waits.push((next - now) / SECOND);
      now = next;
    }
    expect(waits.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 60, 300, 1800]);
    expect(new Set(waits.slice(8, -1))).toEqual(new Set([7200]));
    expect(now).toBe(72 * HOUR);
  });

  it('gives an old event that is replayed its fast attempts before it gives up', () => {
    const now = 1000 * HOUR;
    expect(nextAttempt(schedule, {attempts: 1, createdAt: 0, now})).toBe(now + SECOND);
    expect(nextAttempt(schedule, {attempts: 5, createdAt: 0, now})).toBe(now + 16 * SECOND);
    expect(nextAttempt(schedule, {attempts: 6, createdAt: 0, now})).toBeUndefined();
  });

  it('honours what the endpoint asks for, within bounds', () => {
    const at = (retryAfterMs: number) => nextAttempt(schedule, {attempts: 1, createdAt: 0, now: 0, retryAfterMs});
    expect(at(30 * SECOND)).toBe(30 * SECOND);
    expect(at(0)).toBe(SECOND);
    expect(at(1e15)).toBe(LONGEST_RETRY_AFTER_MS);
  });

  it('never goes back in time and never past its end', () => {
    const input = fc.record({
      attempts: fc.integer({min: 1, max: 1000}),
      createdAt: fc.integer({min: 0, max: 1e12}),
      now: fc.integer({min: 0, max: 2e12}),
      retryAfterMs: fc.option(fc.integer({min: 0}), {nil: undefined}),
    });
    fc.assert(
      fc.property(input, (failure) => {
        const next = nextAttempt(schedule, failure);
        if (next === undefined) return failure.now >= failure.createdAt + schedule.giveUpAfter;
        const fast = failure.attempts <= schedule.fast.length;
        return next > failure.now && (fast || next <= failure.createdAt + schedule.giveUpAfter);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.parse('Fri, 20 Nov 2026 10:00:00 GMT');
  it.each([
    ['120', 120 * SECOND],
    [' 0 ', 0],
    ['Fri, 20 Nov 2026 10:01:00 GMT', 60 * SECOND],
    ['Fri, 20 Nov 2026 09:00:00 GMT', 0],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %j', (header, milliseconds) => {
    expect(parseRetryAfter(header, now)).toBe(milliseconds);
  });
});
