import {randomBytes} from 'node:crypto';
import {mkdtemp, open, rm, statfs} from 'node:fs/promises';
import {join} from 'node:path';
import {messageOf} from '../errors.js';
import {type Finding, ok, problem, warning} from './finding.js';

const BLOCK_BYTES = 4096;
const ROUNDS = 25;
const LIMIT_MS = 2500;
const SLOW_MS = 10;
/** f_type of tmpfs and ramfs: what is written there is on no disk. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

export interface DiskReading {
  /** Of writing 4 KiB and forcing them to the disk. */
  medianMs: number;
  inMemory: boolean;
}

/** Writes and syncs small blocks in a folder of its own below `dir`, which it removes. */
async function readDisk(dir: string): Promise<DiskReading> {
  const inMemory = process.platform === 'linux' && IN_MEMORY.has((await statfs(dir)).type);
  const folder = await mkdtemp(join(dir, '.paynet-doctor-'));
  try {
    const file = await open(join(folder, 'block'), 'wx', 0o600);
    try {
      const block = randomBytes(BLOCK_BYTES);
      const times: number[] = [];
      const end = performance.now() + LIMIT_MS;
      while (times.length < ROUNDS && performance.now() < end) {
        const before = performance.now();
        await file.write(block);
        await file.datasync();
        times.push(performance.now() - before);
      }
      return {medianMs: median(times), inMemory};
    } finally {
      await file.close();
    }
  } finally {
    await rm(folder, {recursive: true, force: true});
  }
}

/** Measures the disk of a folder and judges it. */
export async function checkDisk(dir: string): Promise<Finding> {
  try {
    return judgeDisk(await readDisk(dir), dir);
  } catch (error) {
    return problem(
      `${dir} cannot be written: ${messageOf(error)}`,
      'Name a folder that is there and may be written to with --dir.',
    );
  }
}

/** Whether a disk takes what must not be lost fast enough: each durable step waits for it at least once. */
export function judgeDisk({medianMs, inMemory}: DiskReading, dir: string): Finding {
  const found = `${dir}: ${medianMs.toFixed(2)} ms to write and sync 4 KiB (median)`;
  if (inMemory) return ok(`${found}; it is in memory, which says nothing about a disk: name a folder with --dir`);
  if (medianMs < SLOW_MS) return ok(found);
  return warning(
    found,
    `Over ${SLOW_MS} ms every order waits noticeably: use an SSD, better one with power-loss protection, for data.`,
  );
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY;
}
