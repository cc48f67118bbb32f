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
  let known = paths.map(lookSync);
  let last = known;
  let looking = false;
  let stopped = false;

  async function poll(): Promise<void> {
    if (looking) return;
    looking = true;
    const seen = await Promise.all(paths.map(look));
    looking = false;
    if (stopped) return;
    const stable = seen.every((mark, i) => mark === last[i]);
    last = seen;
    if (!stable) return;
    const changed = paths.filter((_, i) => seen[i] !== known[i]);
    known = seen;
    if (changed.length > 0) onChange(changed);
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
