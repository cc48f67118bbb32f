/** Counts by label. The labels are fixed from the start, so a metric of it cannot grow. */
export interface Tally {
  /** Adds one; a label that is not known counts as "other". */
  count(label: string): void;
  /** Every label with its count, zeros too: a rate can be taken from the first event on. */
  entries(): Iterable<[label: string, count: number]>;
}

export function createTally(labels: readonly string[]): Tally {
  const counts = new Map<string, number>([...labels, 'other'].map((label) => [label, 0]));
  return {
    count(label) {
      const known = counts.has(label) ? label : 'other';
      counts.set(known, (counts.get(known) ?? 0) + 1);
    },
    entries: () => counts.entries(),
  };
}
