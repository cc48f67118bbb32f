// What a server process says of itself: CPU time and memory.
import {readFileSync} from 'node:fs';
import {setTimeout as wait} from 'node:timers/promises';
import {setFlagsFromString} from 'node:v8';
import {runInNewContext} from 'node:vm';

/** Time for freed pages to go back: jemalloc's decay is set to one second. */
const SETTLE_MS = 1500;

/** CPU microseconds of this process so far. */
export function cpu() {
  const {user, system} = process.cpuUsage();
  return user + system;
}

/** CPU microseconds of the main thread alone so far; undefined where the system does not tell. */
export function mainThread() {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'utf8').split(' ')[0]) / 1000;
  } catch {
    return undefined;
  }
}

/** Bytes held now, after a collection: what is kept, not what happens to lie about. */
export async function memory() {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc');
  gc();
  await wait(SETTLE_MS);
  gc();
  const {heapUsed, external, rss} = process.memoryUsage();
  return {heapUsed, external, rss, ...smaps()};
}

function smaps() {
  try {
    const text = readFileSync('/proc/self/smaps_rollup', 'utf8');
    const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]) * 1024;
    return {pss: field('Pss'), anonymous: field('Anonymous')};
  } catch {
    return {};
  }
}
