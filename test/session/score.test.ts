import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {isOnlineScore, onlineScore, type ScoreFacts, type ScoreRules} from '../../src/lib/session/index.js';

const GRADED: ScoreRules = {timeoutMs: 60_000, freshness: 'graded'};
const STEP: ScoreRules = {timeoutMs: 60_000, freshness: 'step'};
const MINUTES_5 = 300_000;

/** The last millisecond of silence with which a device is online. */
function lastOnline(facts: Omit<ScoreFacts, 'heardAgoMs'>, rules: ScoreRules): number {
  const online = (heardAgoMs: number) => isOnlineScore(onlineScore({...facts, heardAgoMs}, rules));
  let yes = 0;
  let no = rules.timeoutMs * 2;
  expect([online(yes), online(no)]).toEqual([true, false]);
  while (no - yes > 1) {
    const middle = Math.floor((yes + no) / 2);
    if (online(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

describe('the online score', () => {
  it.each<[string, ScoreFacts, ScoreRules, number]>([
    ['just heard', {heardAgoMs: 0}, GRADED, 100],
    ['heard half the timeout ago', {heardAgoMs: 30_000}, GRADED, 100],
    ['heard a little longer ago', {heardAgoMs: 30_001}, GRADED, 99],
    ['heard three quarters of it ago', {heardAgoMs: 45_000}, GRADED, 75],
    ['at the timeout', {heardAgoMs: 60_000}, GRADED, 50],
    ['after it', {heardAgoMs: 60_001}, GRADED, 0],
    ['the report: 0.8 and a lost connection', {heardAgoMs: 42_000, downAgoMs: 1000}, GRADED, 60],
    ['the report: 0.0 and a lost connection', {heardAgoMs: 61_000, downAgoMs: 1000}, GRADED, 0],
    ['the report: 1.0 and a missing ack', {heardAgoMs: 1000, ackTimeoutAgoMs: 1000}, GRADED, 70],
    ['both', {heardAgoMs: 1000, downAgoMs: 1000, ackTimeoutAgoMs: 1000}, GRADED, 50],
    ['both, at the timeout', {heardAgoMs: 60_000, downAgoMs: 1000, ackTimeoutAgoMs: 1000}, GRADED, 0],
    ['both at their last moment', {heardAgoMs: 0, downAgoMs: MINUTES_5, ackTimeoutAgoMs: MINUTES_5}, GRADED, 50],
    ['both over', {heardAgoMs: 0, downAgoMs: MINUTES_5 + 1, ackTimeoutAgoMs: MINUTES_5 + 1}, GRADED, 100],
    ['not connected', {heardAgoMs: Number.POSITIVE_INFINITY}, GRADED, 0],
    ['step: at the timeout', {heardAgoMs: 60_000}, STEP, 100],
    ['step: after it', {heardAgoMs: 60_001}, STEP, 0],
    ['step: both', {heardAgoMs: 60_000, downAgoMs: 0, ackTimeoutAgoMs: 0}, STEP, 50],
    ['scaled: half of another timeout', {heardAgoMs: 75_000}, {...GRADED, timeoutMs: 150_000}, 100],
    ['scaled: all of it', {heardAgoMs: 150_000}, {...GRADED, timeoutMs: 150_000}, 50],
    ['scaled: over it', {heardAgoMs: 150_001}, {...GRADED, timeoutMs: 150_000}, 0],
  ])('%s', (_, facts, rules, score) => {
    expect(onlineScore(facts, rules)).toBe(score);
  });

  it.each<[string, Omit<ScoreFacts, 'heardAgoMs'>, number]>([
    ['no penalty', {}, 60_000],
    ['a lost connection', {downAgoMs: 0}, 48_000],
    ['a missing ack', {ackTimeoutAgoMs: 0}, 42_000],
    ['both', {downAgoMs: 0, ackTimeoutAgoMs: 0}, 30_000],
  ])('changes its verdict at the very millisecond: %s', (_, facts, ms) => {
    expect(lastOnline(facts, GRADED)).toBe(ms);
    // An odd timeout too: the points lie at 50 and 100 % of it.
    for (const timeoutMs of [150_000, 70_000, 1001]) {
      expect(lastOnline(facts, {...GRADED, timeoutMs})).toBe(Math.floor((ms * timeoutMs) / 60_000));
    }
  });

  it('gives a device the benefit of a step until the timeout, whatever its penalties', () => {
    expect(lastOnline({downAgoMs: 0, ackTimeoutAgoMs: 0}, STEP)).toBe(60_000);
  });

  const ago = fc.option(fc.oneof(fc.nat(600_000), fc.double({min: 0, max: 600_000, noNaN: true})), {nil: undefined});
  const rules = fc.record({
    timeoutMs: fc.integer({min: 1, max: 600_000}),
    freshness: fc.constantFrom('graded', 'step'),
  });

  it('is a whole number from 0 to 100 that silence and penalties only lower', () => {
    fc.assert(
      fc.property(
        fc.double({min: 0, max: 1e6, noNaN: true}),
        fc.nat(100_000),
        ago,
        ago,
        rules,
        (age, more, a, b, r) => {
          const given = r as ScoreRules;
          const score = onlineScore({heardAgoMs: age, downAgoMs: a, ackTimeoutAgoMs: b}, given);
          expect(Number.isInteger(score) && score >= 0 && score <= 100).toBe(true);
          expect(onlineScore({heardAgoMs: age + more, downAgoMs: a, ackTimeoutAgoMs: b}, given)).toBeLessThanOrEqual(
            score,
          );
          expect(onlineScore({heardAgoMs: age}, given)).toBeGreaterThanOrEqual(score);
        },
      ),
    );
  });
});
