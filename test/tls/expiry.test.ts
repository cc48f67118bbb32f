import {describe, expect, it} from 'vitest';
import {dayOf, daysLeft, expiring} from '../../src/lib/tls/index.js';
import {DAY} from './support.js';

describe('expiry', () => {
  it.each([
    [DAY, 1],
    [DAY - 1, 0],
    [0, 0],
    [-1, -1],
    [30 * DAY, 30],
  ])('of what ends in %d ms: %d days left', (ms, days) => {
    expect(daysLeft(1_000_000 + ms, 1_000_000)).toBe(days);
  });

  it('lists what ends within the days, the first to end first, what has ended included', () => {
    const now = Date.UTC(2026, 0, 1);
    const at = (days: number) => ({file: `${days}`, notAfter: now + days * DAY});
    const found = expiring([at(31), at(30), at(-2), at(5)], now);
    expect(found.map(({file}) => file)).toEqual(['-2', '5', '30']);
    expect(expiring([at(31)], now, 40)).toHaveLength(1);
  });

  it('writes days as people do', () => {
    expect(dayOf(Date.UTC(2027, 10, 20, 23, 59))).toBe('2027-11-20');
    expect(dayOf('Nov 20 21:42:38 2027 GMT')).toBe('2027-11-20');
  });
});
