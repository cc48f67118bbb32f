import type {Store} from '../store/index.js';
import {cleanCommands} from './operations.js';
import {deadCount} from './queries.js';

const PART = 500;
const WARN_ABOVE = 1000;

/** Removes what ended long ago, part by part so that others can write in between, until `isEnding`. Answers how many. */
export async function cleanAll(store: Store, at: number, isEnding: () => boolean): Promise<number> {
  let removed = 0;
  while (!isEnding()) {
    const count = await store.run(cleanCommands, {at, limit: PART});
    removed += count;
    if (count < PART) break;
  }
  return removed;
}

/** Whether there are more dead letters than anybody can be looking after. */
export async function hasManyDead(store: Store): Promise<boolean> {
  const found = await store.readFirst(deadCount, {limit: WARN_ABOVE + 1});
  return (found?.count ?? 0) > WARN_ABOVE;
}
