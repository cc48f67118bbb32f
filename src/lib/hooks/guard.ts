import type {Awaitable} from '../link/index.js';
import {type Log, printable, rateLimitedLog} from '../observe/index.js';
import {HOOK_NAMES, type HookAnswer, type HookName, type Hooks} from './hooks.js';

export interface GuardOptions {
  log: Log;
  /** Milliseconds that a hook may take to answer; 5000 unless given. One that never lets go of the thread has no limit. */
  limitMs?: number;
  /** For the log: milliseconds that never go back. */
  now?: () => number;
  /** Calls once after so many milliseconds, unless what it returns is called before. Timers of Node unless given. */
  after?: (ms: number, call: () => void) => () => void;
}

/** The hooks that there are. Each always answers, and never rejects. */
export interface GuardedHooks extends Hooks {
  /** How often each has refused because it failed. */
  readonly failures: Readonly<Record<HookName, number>>;
}

const LIMIT_MS = 5000;
const MOST_CHARACTERS = 200;
/** What is told of a hook that has failed; why is for the log. */
const UNDECIDED: HookAnswer = {refuse: 'the server could not decide'};

/**
 * Puts hooks of a project between their own mistakes and the server: one that throws, rejects, answers anything but
 * `HookAnswer` or takes too long refuses, and is counted and logged. A hook that answers at once costs no promise.
 */
export function guardHooks(hooks: Hooks, options: GuardOptions): GuardedHooks {
  const {limitMs = LIMIT_MS, now, after = afterMs} = options;
  const log = rateLimitedLog(options.log, now === undefined ? {} : {now});
  const failures: Record<HookName, number> = {register: 0, login: 0, order: 0};

  function failed(hook: HookName, what: string, error?: unknown): HookAnswer {
    failures[hook] += 1;
    const fields = {hook, failures: failures[hook], ...(error !== undefined && {err: asError(error)})};
    log.warn(`${hook} ${what}`, fields, `a hook ${what}; that refuses`);
    return UNDECIDED;
  }

  function judged(hook: HookName, answer: unknown): HookAnswer {
    if (answer === true) return true;
    try {
      const reason = (answer as {refuse?: unknown} | null | undefined)?.refuse;
      if (typeof reason === 'string') return {refuse: printable(reason.trim(), MOST_CHARACTERS) || 'refused'};
    } catch (error) {
      return failed(hook, 'threw', error);
    }
    return failed(hook, 'answered neither true nor {refuse: "…"}');
  }

  function awaited(hook: HookName, pending: PromiseLike<unknown>): Promise<HookAnswer> {
    return new Promise((resolve) => {
      let late = false;
      const cancel = after(limitMs, () => {
        late = true;
        resolve(failed(hook, `took longer than ${limitMs} ms`));
      });
      const settle = (answer: () => HookAnswer): void => {
        // It was counted already, and what it says now is of no use to anybody.
        if (late) return;
        cancel();
        resolve(answer());
      };
      Promise.resolve(pending).then(
        (answer) => settle(() => judged(hook, answer)),
        (error: unknown) => settle(() => failed(hook, 'threw', error)),
      );
    });
  }

  function guarded<R>(hook: HookName): ((request: R) => Awaitable<HookAnswer>) | undefined {
    if (hooks[hook] === undefined) return undefined;
    // Called as its own method: hooks may be an object with a state.
    const own = hooks as Record<HookName, (request: R) => unknown>;
    return (request) => {
      let answer: unknown;
      try {
        answer = own[hook](request);
        if (isThenable(answer)) return awaited(hook, answer);
      } catch (error) {
        return failed(hook, 'threw', error);
      }
      return judged(hook, answer);
    };
  }

  const there = HOOK_NAMES.flatMap((hook) => {
    const call = guarded(hook);
    return call === undefined ? [] : [[hook, call] as const];
  });
  return {...Object.fromEntries(there), failures};
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  return typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function';
}

/** For the log, of anything that may be thrown. */
function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new Error(typeof thrown === 'string' ? thrown : `it threw a value of type ${typeof thrown}`);
}

function afterMs(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}
