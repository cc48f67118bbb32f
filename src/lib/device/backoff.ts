/**
 * The pause before the next try: anything from nothing to `base` doubled with every failure, at most `max` (full
 * jitter). After an outage thousands of devices come back; evenly spread they do not come all at once.
 * Milliseconds; `failures` counts from 0; `random` is from 0 to below 1.
 */
export function backoff(failures: number, base: number, max: number, random: number): number {
  return random * Math.min(max, base * 2 ** Math.min(failures, 30));
}
