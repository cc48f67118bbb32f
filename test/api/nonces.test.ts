import {describe, expect, it} from 'vitest';
import {Nonces} from '../../src/lib/api/nonces.js';

const KEPT = 1000;

describe('nonces in memory', () => {
  it('are good once in their time', () => {
    const nonces = new Nonces(KEPT);
    expect([nonces.use('a', 0), nonces.use('a', 0), nonces.use('b', 500), nonces.use('a', 999)]).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(nonces.use('a', 1000)).toBe(true);
    // Of a generation that is as old as that the later ones still count.
    expect([nonces.use('b', 1499), nonces.use('a', 1999), nonces.use('b', 1500)]).toEqual([false, false, true]);
  });

  it('are bounded', () => {
    const nonces = new Nonces(KEPT, 3);
    for (let number = 0; number < 100; number += 1) {
      expect(nonces.use(`n${number}`, 0)).toBe(true);
      expect(nonces.size).toBeLessThanOrEqual(6);
    }
    // At least as many as one generation holds are remembered.
    expect(['n99', 'n98', 'n97'].map((name) => nonces.has(name, 0))).toEqual([true, true, true]);
  });

  it('are forgotten as time passes', () => {
    const nonces = new Nonces(KEPT);
    for (let number = 0; number < 100; number += 1) nonces.use(`n${number}`, 0);
    nonces.use('later', KEPT);
    nonces.use('latest', 2 * KEPT);
    expect(nonces.size).toBe(2);
  });
});
