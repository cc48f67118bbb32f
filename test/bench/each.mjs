/** Runs `one` for every number in a range, `parallel` at a time. */
export async function each(from, count, parallel, one) {
  let next = from;
  const lanes = Array.from({length: Math.min(parallel, count)}, async () => {
    while (next < from + count) await one(next++);
  });
  await Promise.all(lanes);
}
