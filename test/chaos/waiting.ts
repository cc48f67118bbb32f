import {setTimeout as pause} from 'node:timers/promises';

/** A bound for whatever must come: far beyond what it takes, also on a busy machine. */
export const PATIENCE_MS = 120_000;

export {pause};

/** Waits until it is true; rejects with what it was when it never becomes so. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, everyMs = 50): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await pause(everyMs);
  }
}
