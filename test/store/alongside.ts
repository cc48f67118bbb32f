import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {fileURLToPath, pathToFileURL} from 'node:url';
import Database from 'better-sqlite3';
import {onTestFinished} from 'vitest';
import {apiOperations} from '../../src/lib/api/index.js';
import {openStore, type Store} from '../../src/lib/store/index.js';
import {keepingLog, OPERATIONS} from './support.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const GUEST = fileURLToPath(new URL('./guest-process.ts', import.meta.url));

export interface GuestProcess {
  /** The keys that are stored, then "ok" for the whole database. */
  lines: AsyncIterableIterator<string>;
  kill(): Promise<unknown>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

/** A second process that writes so many keys; for ever, unless told. */
export function startGuest(path: string, keys?: number): GuestProcess {
  const args = keys === undefined ? [path] : [path, `${keys}`];
  const child = spawn(process.execPath, ['--import', TSX, GUEST, ...args], {stdio: ['ignore', 'pipe', 'inherit']});
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return ended;
  };
  onTestFinished(() => kill().then(() => {}));
  return {lines: createInterface({input: child.stdout})[Symbol.asyncIterator](), kill, ended};
}

/** A store that can do orders and keys, closed after the test. */
export async function openBoth(path: string, alongside = false): Promise<Store> {
  const options = {operations: [OPERATIONS, apiOperations], log: keepingLog(), alongside};
  const store = await openStore({engine: 'sqlite', path}, options);
  onTestFinished(() => store.close());
  return store;
}

/** What SQLite says of a whole file. */
export function integrityOf(path: string): unknown {
  const db = new Database(path, {readonly: true});
  try {
    return db.pragma('integrity_check', {simple: true});
  } finally {
    db.close();
  }
}
