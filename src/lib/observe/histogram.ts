/** Counts by size. `observe` allocates nothing. */
export class Histogram {
  /** The upper end of each bucket, ascending; beyond the last there is one more bucket. */
  readonly bounds: readonly number[];
  /** One count per bucket, not cumulative. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** @param value in the unit of the bounds; what is no number from 0 up is left out, for it would spoil the sum */
  observe(value: number): void {
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY)) return;
    let bucket = 0;
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}
