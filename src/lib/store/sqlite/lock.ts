import {chmodSync} from 'node:fs';
import {pid} from 'node:process';
import Database from 'better-sqlite3';
import {messageOf} from '../../errors.js';
import {failures} from '../failures.js';
import {sqliteCode} from './errors.js';

/** Two that start at the same moment get in each other's way only for as long as a process number is written. */
const PATIENCE_MS = 250;

/**
 * Holds a database for this process until the returned function is called, or until the process ends, however it ends.
 * It is a small SQLite file beside the database that is kept reserved: Node has no flock, and the kernel frees SQLite's
 * own locks of a process that was killed. Others can still read whose it is.
 * @throws PaynetError STORE_LOCKED, STORE_PATH
 */
export function takeLock(place: string): () => void {
  const file = `${place}.lock`;
  let lock: Database.Database | undefined;
  try {
    // Not made by way of Node's own functions: closing any other descriptor of the file would free this process's locks.
    lock = new Database(file, {timeout: PATIENCE_MS});
    chmodSync(file, 0o600);
    // Nothing in it has to survive a power cut.
    lock.pragma('journal_mode = MEMORY');
    lock.pragma('synchronous = OFF');
    noteOwner(lock);
    lock.exec('BEGIN IMMEDIATE');
    const held = lock;
    return () => held.close();
  } catch (error) {
    const owner = lock === undefined ? 0 : ownerOf(lock);
    lock?.close();
    if (sqliteCode(error)?.startsWith('SQLITE_BUSY')) {
      throw failures.locked(place, owner === pid ? 'this process already' : `another process (${owner})`);
    }
    throw failures.path(place, `its lock ${file} cannot be taken: ${messageOf(error)}`, error);
  }
}

function noteOwner(lock: Database.Database): void {
  try {
    lock.pragma(`user_version = ${pid}`);
  } catch (error) {
    // On a full disk the number stays unknown; the lock itself needs no space.
    if (sqliteCode(error) !== 'SQLITE_FULL') throw error;
  }
}

function ownerOf(lock: Database.Database): number {
  try {
    return Number(lock.pragma('user_version', {simple: true}));
  } catch {
    // Only for the sentence: it is being written at this moment.
    return 0;
  }
}
