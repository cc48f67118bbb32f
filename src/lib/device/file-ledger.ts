import {type FileHandle, mkdir, open, rename} from 'node:fs/promises';
import {dirname} from 'node:path';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {LEDGER_ENTRIES, type Ledger, type LedgerEntry, remember} from './ledger.js';

/** The file is written anew when it holds this many lines for each entry that counts. */
const LINES_PER_ENTRY = 4;
const SMALL_FILE_LINES = 1000;

/**
 * A ledger in a file: one JSON line for each change, synced before `put` resolves; changes that wait together share a
 * sync. A line that a power cut left half-written is dropped. One process at a time.
 * Rejects with LEDGER_UNREADABLE when the file is damaged in its middle or cannot be read.
 */
export async function fileLedger(path: string): Promise<Ledger> {
  const {entries, lines, wholeBytes} = await read(path);
  const limit = Math.max(SMALL_FILE_LINES, LINES_PER_ENTRY * Math.min(entries.size, LEDGER_ENTRIES));
  const file = await (lines > limit ? rewrite(path, entries) : openToAppend(path, wholeBytes));
  let waiting: {line: string; resolve(): void; reject(error: Error): void}[] = [];
  let writing: Promise<void> | undefined;
  let broken: PaynetError | undefined;

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        await file.appendFile(batch.map(({line}) => line).join(''));
        await file.datasync();
        for (const {resolve} of batch) resolve();
      } catch (error) {
        // After a failed sync nobody knows what is on the disk: nothing is accepted any more until a restart.
        broken ??= new PaynetError('LEDGER_FAILED', `the ledger ${path} cannot be written: ${messageOf(error)}`, {
          cause: error,
          hint: 'Free disk space or mend the disk, then restart the device.',
        });
        for (const {reject} of batch) reject(broken);
      }
    }
    writing = undefined;
  }

  return {
    get: (orderId) => entries.get(orderId),
    entries: () => entries.values(),
    put(entry) {
      const before = entries.get(entry.orderId);
      // At once: a second command for the same order may come before the sync.
      remember(entries, entry);
      const stored = new Promise<void>((resolve, reject) => {
        const undo = (error: Error): void => {
          if (before !== undefined) remember(entries, before);
          else entries.delete(entry.orderId);
          reject(error);
        };
        waiting.push({line: `${JSON.stringify(entry)}\n`, resolve, reject: undo});
      });
      writing ??= write();
      return stored;
    },
    async close() {
      await writing;
      await file.close();
    },
  };
}

async function openToAppend(path: string, wholeBytes: number): Promise<FileHandle> {
  await mkdir(dirname(path), {recursive: true});
  const file = await open(path, 'a', 0o600);
  // The half line that a power cut left was never acknowledged.
  await file.truncate(wholeBytes);
  return file;
}

async function rewrite(path: string, entries: Map<string, LedgerEntry>): Promise<FileHandle> {
  const temporary = `${path}.${process.pid}.new`;
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.appendFile([...entries.values()].map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  const folder = await open(dirname(path), 'r');
  await folder.sync().finally(() => folder.close());
  return open(path, 'a', 0o600);
}

interface Read {
  entries: Map<string, LedgerEntry>;
  lines: number;
  /** The bytes up to the end of the last whole line. */
  wholeBytes: number;
}

async function read(path: string): Promise<Read> {
  const text = await readText(path);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').slice(0, -1);
  const entries = new Map<string, LedgerEntry>();
  for (const [index, line] of lines.entries()) {
    const entry = parse(line);
    if (entry === undefined) {
      throw new PaynetError('LEDGER_UNREADABLE', `the ledger ${path} is damaged at line ${index + 1}`, {
        hint: 'Keep the file for the reconciliation of its orders; only then start with a new one.',
      });
    }
    remember(entries, entry);
  }
  return {entries, lines: lines.length, wholeBytes: Buffer.byteLength(whole)};
}

async function readText(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    return await file.readFile('utf8').finally(() => file.close());
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw new PaynetError('LEDGER_UNREADABLE', `the ledger ${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function parse(line: string): LedgerEntry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const {orderId, coins, state, progress, error} = value as Record<string, unknown>;
  if (typeof orderId !== 'string' || typeof coins !== 'number' || typeof state !== 'number') return undefined;
  if (typeof progress !== 'number' || typeof error !== 'string') return undefined;
  return {orderId, coins, state, progress, error};
}
