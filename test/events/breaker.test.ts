import {describe, expect, it} from 'vitest';
import {afterFailure, type Breaker, type BreakerFailure, closedBreaker, isBack} from '../../src/lib/events/breaker.js';

const fail = (breaker: Breaker, eventId: string, now: number, more: Partial<BreakerFailure> = {}) =>
  afterFailure(breaker, {eventId, now, silent: false, ...more});

const opened = ['a', 'b', 'c', 'd', 'e'].reduce((breaker, id) => fail(breaker, id, 0), closedBreaker);

describe('the breaker', () => {
  it('opens after five different events, not after one that nobody wants', () => {
    let breaker = closedBreaker;
    for (let time = 0; time < 100; time += 1) breaker = fail(breaker, 'a', time);
    expect(breaker.openUntil).toBeUndefined();
    expect(isBack(breaker)).toBe(false);
    expect(opened.openUntil).toBe(1000);
    expect(isBack(opened)).toBe(true);
  });

  it('tries less and less often, at least every half minute', () => {
    const pauses: number[] = [];
    let breaker = opened;
    for (let step = 0; step < 8; step += 1) {
      const now = breaker.openUntil ?? 0;
      breaker = fail(breaker, 'a', now);
      pauses.push((breaker.openUntil ?? 0) - now);
    }
    expect(pauses).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  it('does not count what was under way when it opened', () => {
    expect(fail(opened, 'f', 500)).toMatchObject({openUntil: 1000, pauseMs: opened.pauseMs});
  });

  it('pauses for everything as long as the endpoint asks', () => {
    const asked = fail(closedBreaker, 'a', 100, {retryAfterMs: 5000});
    expect(asked.openUntil).toBe(5100);
    expect(fail(asked, 'b', 200, {retryAfterMs: 1000}).openUntil).toBe(5100);
  });

  it('knows that a silent endpoint was away, whatever its events', () => {
    expect(isBack(fail(closedBreaker, 'a', 0, {silent: true}))).toBe(true);
  });
});
