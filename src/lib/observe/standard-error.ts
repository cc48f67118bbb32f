import {fstatSync, writeSync} from 'node:fs';
import {isatty} from 'node:tty';
import type {LogDestination} from './log.js';

/** Bytes that wait for a reader who does not read; then lines are lost, for the business goes on. */
const MAX_WAITING = 4 * 1024 * 1024;

/**
 * Standard error as a place for lines that never holds up, nor ends, the program: a line goes out at once where that
 * is possible, waits (bounded) while a pipe is full, and is lost when the pipe is closed or the disk is full.
 */
export function standardError(): LogDestination {
  const stats = fstatSync(2);
  const write = isatty(2) || stats.isFIFO() || stats.isSocket() ? streamWriter() : writeFile;
  let lost = 0;
  let works = true;
  return {
    write(line) {
      works = write(line);
      if (!works) lost++;
    },
    lost() {
      const count = works ? lost : 0;
      lost -= count;
      return count;
    },
  };
}

function streamWriter(): (line: string) => boolean {
  const {stderr} = process;
  if (!stderr.listeners('error').includes(ignore)) stderr.on('error', ignore);
  return (line) => {
    if (stderr.destroyed || stderr.writableLength > MAX_WAITING) return false;
    stderr.write(line);
    return true;
  };
}

/** There is nowhere left to report to; every further line counts as lost. */
function ignore(): void {}

/** Not through a stream, which ends for good at its first error: a full disk can have room again. */
function writeFile(line: string): boolean {
  try {
    return writeSync(2, line) > 0;
  } catch {
    return false;
  }
}
