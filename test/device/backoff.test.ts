import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {backoff} from '../../src/lib/device/backoff.js';

const chance = fc.double({min: 0, max: 1, maxExcluded: true, noNaN: true});
const failures = fc.nat(10_000);

describe('the pause before a reconnect', () => {
  it('lies between nothing and what has doubled, and below the longest', () => {
    fc.assert(
      fc.property(failures, fc.integer({min: 10, max: 60_000}), fc.nat(1_000_000), chance, (n, base, more, random) => {
        const pause = backoff(n, base, base + more, random);
        expect(pause).toBeGreaterThanOrEqual(0);
        expect(pause).toBeLessThanOrEqual(base + more);
        expect(pause).toBeLessThanOrEqual(base * 2 ** n);
      }),
    );
  });

  it('doubles from 1 s to 64 s and stays there', () => {
    const longest = Array.from({length: 9}, (_, n) => backoff(n, 1000, 64_000, 1));
    expect(longest).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 64_000, 64_000]);
  });

  it('is spread evenly over the whole span: full jitter', () => {
    fc.assert(
      fc.property(failures, chance, (n, random) => {
        expect(backoff(n, 1000, 64_000, random)).toBeCloseTo(random * backoff(n, 1000, 64_000, 1), 6);
      }),
    );
  });
});
