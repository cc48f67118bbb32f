import {statSync} from 'node:fs';
import {stat} from 'node:fs/promises';
import {codeOf} from '../errors.js';

export interface FileWatch {
  stop(): void;
}

/**
 * Calls `onChange` with the paths that changed, once they have stopped changing for one whole interval. It polls the
 * time, size and inode of what the path leads to: that sees atomic renames and the symlink swap of a Kubernetes
 * secret, which file events miss. A file that vanishes or comes back has changed too.
 *
 * What is there at the call counts as known, so watch before you read. The timer keeps no process alive; after
 * `stop()` nothing is called. `onChange` must not throw.
 */
export function watchFiles(
  paths: readonly string[],
  onChange: (changed: string[]) => void,
  intervalMs = 5000,
): FileWatch {
  const start = paths.map(lookSync);
  let state: Settling = {known: start, last: start};
  let looking = false;
  let stopped = false;

  async function poll(): Promise<void> {
    if (looking) return;
    looking = true;
    const seen = await Promise.all(paths.map(look));
    looking = false;
    if (stopped) return;
    const step = settle(state, seen);
    state = step.state;
    if (step.changed.length > 0) onChange(step.changed.map((index) => paths[index] as string));
  }

  const timer = setInterval(() => void poll(), intervalMs);
  timer.unref();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** How each file looked when it was reported last, and at the last look. */
export interface Settling {
  known: readonly string[];
  last: readonly string[];
}

/** One look at all files: which of them (by index) to report, which is nothing while any of them still changes. */
export function settle(state: Settling, seen: readonly string[]): {state: Settling; changed: number[]} {
  const settled = seen.every((look, index) => look === state.last[index]);
  if (!settled) return {state: {known: state.known, last: seen}, changed: []};
  const changed = seen.flatMap((look, index) => (look === state.known[index] ? [] : [index]));
  return {state: {known: seen, last: seen}, changed};
}

interface Looks {
  mtimeNs: bigint;
  size: bigint;
  ino: bigint;
  dev: bigint;
}

function mark({mtimeNs, size, ino, dev}: Looks): string {
  return `${mtimeNs} ${size} ${ino} ${dev}`;
}

function lookSync(path: string): string {
  try {
    return mark(statSync(path, {bigint: true}));
  } catch (error) {
    return absent(error);
  }
}

async function look(path: string): Promise<string> {
  try {
    return mark(await stat(path, {bigint: true}));
  } catch (error) {
    return absent(error);
  }
}

/** That a file cannot be looked at is one of its states: whoever reads it next says why. */
function absent(error: unknown): string {
  return `absent: ${codeOf(error) ?? 'unknown'}`;
}
