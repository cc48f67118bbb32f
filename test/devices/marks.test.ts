import {describe, expect, it} from 'vitest';
import {Marks} from '../../src/lib/devices/marks.js';

describe('marks', () => {
  it('know the latest time until it counts no more', () => {
    const marks = new Marks(1000);
    marks.set('A', 0);
    marks.set('B', 100);
    marks.set('A', 200);
    expect([marks.ago('A', 300), marks.ago('B', 300), marks.ago('C', 300)]).toEqual([100, 200, undefined]);
    marks.sweep(1100);
    expect(marks.size).toBe(2);
    marks.sweep(1101);
    expect([marks.ago('A', 1101), marks.ago('B', 1101)]).toEqual([901, undefined]);
    marks.sweep(1201);
    expect(marks.size).toBe(0);
  });

  it('are removed little by little, and never more than there is room for', () => {
    const marks = new Marks(1000);
    for (let device = 0; device < 120_000; device += 1) marks.set(`D${device}`, device);
    expect(marks.size).toBe(100_000);
    expect([marks.ago('D19999', 120_000), marks.ago('D20000', 120_000)]).toEqual([undefined, 100_000]);
    const sizes = [marks.size];
    for (let turn = 0; turn < 21; turn += 1) {
      marks.sweep(200_000);
      sizes.push(marks.size);
    }
    expect(sizes.at(-1)).toBe(0);
    expect(Math.max(...sizes.slice(1).map((size, index) => (sizes[index] as number) - size))).toBeLessThanOrEqual(5000);
  });
});
