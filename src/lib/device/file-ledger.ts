import {type FileHandle, mkdir, open, rename} from 'node:fs/promises';
import {dirname} from 'node:path';
import {messageOf, PaynetError} from '../errors.js';
import {LEDGER_ENTRIES, type Ledger, type LedgerEntry, remember} from './ledger.js';
import {lineOf, readLedger} from './ledger-text.js';

/** The file is written anew when it holds this many lines for each entry that counts. */
const LINES_PER_ENTRY = 4;
const SMALL_FILE_LINES = 1000;

interface Waiting {
  entry: LedgerEntry;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * A ledger in a file: one JSON line for each change, synced before `put` resolves; changes that wait together share a
 * sync. A line that a power cut left half-written is dropped. The file belongs to one process at a time: one that finds
 * lines of another in it, or another file in its place, stores nothing any more.
 * Rejects with LEDGER_UNREADABLE when the file is damaged in its middle or cannot be read, and with LEDGER_FAILED when
 * it cannot be written.
 */
export async function fileLedger(path: string): Promise<Ledger> {
  const {entries, wholeBytes, ...found} = await readLedger(path);
  let {lines} = found;
  let bytes = wholeBytes;
  let file = await attempt(path, () => openToAppend(path, wholeBytes));
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;
  let broken: PaynetError | undefined;

  async function write(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        if (broken !== undefined) throw broken;
        await attempt(path, () => append(batch));
        for (const {entry, resolve} of batch) {
          remember(entries, entry);
          resolve();
        }
        if (lines > longest(entries)) await attempt(path, compact);
      } catch (error) {
        // After a failed sync nobody knows what is on the disk: nothing is accepted any more until a restart.
        broken ??= error as PaynetError;
        for (const {reject} of batch) reject(broken);
      }
    }
    writing = undefined;
  }

  async function append(batch: readonly Waiting[]): Promise<void> {
    const {size, nlink} = await file.stat();
    if (size !== bytes || nlink === 0) throw new Error('another process has changed it');
    const text = Buffer.from(batch.map(({entry}) => lineOf(entry)).join(''));
    await file.appendFile(text);
    await file.datasync();
    bytes += text.length;
    lines += batch.length;
  }

  async function compact(): Promise<void> {
    const written = await replace(path, entries.values());
    const old = file;
    file = await open(path, 'a', 0o600);
    bytes = written;
    lines = entries.size;
    await old.close();
  }

  if (lines > longest(entries)) {
    await attempt(path, compact).catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
  }
  return {
    get: (orderId) => entries.get(orderId),
    entries: () => entries.values(),
    put(entry) {
      return new Promise<void>((resolve, reject) => {
        waiting.push({entry, resolve, reject});
        writing ??= write();
      });
    },
    async close() {
      await writing;
      broken ??= new PaynetError('LEDGER_FAILED', `the ledger ${path} is closed`);
      await file.close();
    },
  };
}

const longest = (entries: Map<string, LedgerEntry>): number =>
  Math.max(SMALL_FILE_LINES, LINES_PER_ENTRY * Math.min(entries.size, LEDGER_ENTRIES));

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new PaynetError('LEDGER_FAILED', `the ledger ${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
      hint: 'Free disk space or mend the disk, make sure that no other process uses the file, then restart the device.',
    });
  }
}

async function openToAppend(path: string, wholeBytes: number): Promise<FileHandle> {
  const folder = dirname(path);
  await mkdir(folder, {recursive: true});
  const file = await open(path, 'a', 0o600);
  // The half line that a power cut left was never acknowledged.
  await file.truncate(wholeBytes);
  // The name of a new file survives a power cut only when its folder is synced.
  await file.sync();
  await syncFolder(folder);
  return file;
}

/** Writes the entries to a new file and puts it in the place of the old one; answers its bytes. */
async function replace(path: string, entries: Iterable<LedgerEntry>): Promise<number> {
  const temporary = `${path}.new`;
  const text = Buffer.from([...entries].map(lineOf).join(''));
  const file = await open(temporary, 'w', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
  return text.length;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}
