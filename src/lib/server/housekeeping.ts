import {codeOf, messageOf} from '../errors.js';
import {type Pruned, type Pruning, pruneEvents} from '../events/index.js';
import type {Log} from '../observe/index.js';
import type {Store} from '../store/index.js';

export interface HousekeepingOptions {
  readonly store: Store;
  /** Whether events are posted anywhere. Where they are not, those that wait are only there to be read. */
  readonly posted: boolean;
  readonly log: Log;
  /** UTC milliseconds. */
  readonly now?: () => number;
}

/** Removes what nobody will ask for any more, once an hour. */
export interface Housekeeping {
  /** Ends the timer and what is under way. A second call waits for the first. */
  stop(): Promise<void>;
}

const EVERY_MS = 3_600_000;
const KEPT_MS = 90 * 24 * 3_600_000;
/** Looked at in one operation: others write in between. */
const PART = 500;

export function startHousekeeping({store, posted, log, now = Date.now}: HousekeepingOptions): Housekeeping {
  let working: Promise<void> | undefined;
  let isStopped = false;

  async function clean(): Promise<void> {
    const before = now() - KEPT_MS;
    let removed = 0;
    for (let after: number | undefined = 0; after !== undefined && !isStopped; ) {
      const pruning: Pruning = {pushedBefore: before, waitingBefore: posted ? 0 : before, after, limit: PART};
      const part: Pruned = await store.run(pruneEvents, pruning);
      removed += part.removed;
      after = part.after;
    }
    if (removed > 0) log.info({removed}, 'events of more than 90 days ago are removed');
  }

  const timer = setInterval(() => {
    working ??= clean()
      .catch((error: unknown) => {
        log.warn({code: codeOf(error), reason: messageOf(error)}, 'old events cannot be removed now');
      })
      .finally(() => {
        working = undefined;
      });
  }, EVERY_MS).unref();

  return {
    async stop() {
      isStopped = true;
      clearInterval(timer);
      await working;
    },
  };
}
