import type {Store} from '../store/index.js';
import {BATCH, type Presence, tellPresence} from './operations.js';

/** As many as fifty thousand devices make that all go at once and come back. */
const MAX_WAITING = 100_000;
/** Given up together, the oldest first: each alone would move all others. */
const DROPPED = 1000;

/** The events of devices that came and went, until they are in the outbox. */
export class News {
  /** Those that were given up because the store would not take them. */
  lost = 0;
  readonly #store: Store;
  readonly #stored: () => void;
  #waiting: Presence[] = [];

  /** `stored` is called after every commit. */
  constructor(store: Store, stored: () => void) {
    this.#store = store;
    this.#stored = stored;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(presence: Presence): void {
    this.#waiting.push(presence);
    this.#shed();
  }

  /** Writes what waits. After a failure it waits for the next time: an event that was stored after all stays one. */
  async write(): Promise<void> {
    // What comes meanwhile has the next turn.
    for (let left = this.#waiting.length; left > 0; left -= BATCH) {
      const part = this.#waiting.splice(0, Math.min(left, BATCH));
      try {
        await this.#store.run(tellPresence, part);
      } catch (error) {
        this.#waiting = [...part, ...this.#waiting];
        this.#shed();
        throw error;
      }
      this.#stored();
    }
  }

  #shed(): void {
    if (this.#waiting.length <= MAX_WAITING) return;
    this.lost += this.#waiting.splice(0, DROPPED).length;
  }
}
