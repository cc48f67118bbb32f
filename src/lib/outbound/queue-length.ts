import type {Store} from '../store/index.js';
import {waitingCount} from './queries.js';

const LIMIT = 10_000;

/** How many commands wait in the store, as far as it is known here. */
export class QueueLength {
  #value = 0;

  get value(): number {
    // A command may be taken before its caller says that it was stored.
    return Math.max(this.#value, 0);
  }

  add(count: number): void {
    this.#value += count;
  }

  /** Asks the store. It is wrong by what comes and goes meanwhile, until it is asked again. */
  async recount(store: Store): Promise<void> {
    this.#value = (await store.readFirst(waitingCount, {limit: LIMIT}))?.count ?? 0;
  }
}
