import {codeOf, messageOf} from '../errors.js';
import {Alarm, type DeadlineWheel} from '../session/index.js';
import type {CommandState, Store} from '../store/index.js';
import {commandById} from './queries.js';

const AGAIN_MS = 1000;
/** The store works again by itself after these. */
const PASSING: ReadonlySet<string | undefined> = new Set([
  'STORE_FULL',
  'STORE_BUSY',
  'STORE_TIMEOUT',
  'STORE_UNAVAILABLE',
  'STORE_UNCERTAIN',
]);

export interface NotingParts {
  readonly store: Store;
  readonly wheel: DeadlineWheel;
  readonly signal: AbortSignal;
  readonly complain: (error: unknown) => void;
}

/**
 * Stores what became of a command, again and again until the store takes it, and answers the state it is in by that;
 * undefined when another has ended it. Aborted, it tries once more at most; what is not stored is found again when the
 * lease has lapsed.
 * @throws what the store says
 */
export async function untilStored(
  {store, wheel, signal, complain}: NotingParts,
  id: string,
  write: () => Promise<CommandState | undefined>,
): Promise<CommandState | undefined> {
  let isUncertain = false;
  for (;;) {
    try {
      const state = await write();
      if (state !== undefined || !isUncertain) return state;
      // Perhaps it was this one, and only the answer was lost.
      return (await store.readFirst(commandById, {id}))?.state;
    } catch (error) {
      if (signal.aborted || !PASSING.has(codeOf(error))) throw error;
      isUncertain ||= codeOf(error) === 'STORE_UNCERTAIN';
      complain(error);
      await pause(wheel, AGAIN_MS, signal);
    }
  }
}

/** Waits by the wheel; ends at once when `signal` is aborted. */
export function pause(wheel: DeadlineWheel, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      wheel.cancel(alarm);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const alarm = new Alarm(end);
    signal.addEventListener('abort', end);
    wheel.schedule(alarm, milliseconds);
  });
}

/** For a log. */
export const reasonOf = (error: unknown): object => ({code: codeOf(error), reason: messageOf(error)});
