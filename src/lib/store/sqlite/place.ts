import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import {basename, dirname, join, resolve} from 'node:path';
import Database from 'better-sqlite3';
import {messageOf, PaynetError} from '../../errors.js';
import {failures} from '../failures.js';

/** "PAYN": marks our files. */
export const APPLICATION_ID = 0x5041594e;
const MAGIC = 'SQLite format 3\0';
const HEADER_LENGTH = 100;
const APPLICATION_ID_AT = 68;

/**
 * The one true path of a database file, by which it is locked; its folder is made.
 * @throws PaynetError STORE_PATH
 */
export function placeOf(path: string): string {
  const asked = resolve(path);
  try {
    mkdirSync(dirname(asked), {recursive: true, mode: 0o700});
    const place = existsSync(asked) ? realpathSync(asked) : join(realpathSync(dirname(asked)), basename(asked));
    // SQLite makes files beside it.
    accessSync(dirname(place), constants.R_OK | constants.W_OK | constants.X_OK);
    if (!existsSync(place)) return place;
    if (!statSync(place).isFile()) throw new Error('it is no file');
    accessSync(place, constants.R_OK | constants.W_OK);
    return place;
  } catch (error) {
    throw failures.path(asked, messageOf(error), error);
  }
}

/**
 * Makes sure that there is a database of ours, readable by its owner only. Call it with the lock held: closing a
 * descriptor frees the locks that SQLite has on the same file in this process.
 * @returns true when the file could be read by others until now
 * @throws PaynetError STORE_FOREIGN, STORE_DAMAGED, STORE_PATH
 */
export function claimPlace(place: string): boolean {
  try {
    const size = existsSync(place) ? statSync(place).size : 0;
    if (size === 0) {
      refuseStrayLog(place);
      create(place);
      return false;
    }
    if (!isOurs(place)) throw failures.foreign(place);
    const open = (statSync(place).mode & 0o077) !== 0;
    if (open) chmodSync(place, 0o600);
    return open;
  } catch (error) {
    if (error instanceof PaynetError) throw error;
    throw failures.path(place, messageOf(error), error);
  }
}

/** A write-ahead log without its database would be played into the new one. */
function refuseStrayLog(place: string): void {
  const log = `${place}-wal`;
  if (existsSync(log) && statSync(log).size > 0) {
    throw failures.damaged(place, `the file is gone, but its log ${log} is there and holds what was written last`);
  }
}

function isOurs(place: string): boolean {
  const header = Buffer.alloc(HEADER_LENGTH);
  const file = openSync(place, 'r');
  try {
    readSync(file, header, 0, HEADER_LENGTH, 0);
  } finally {
    closeSync(file);
  }
  return header.toString('latin1', 0, 16) === MAGIC && header.readUInt32BE(APPLICATION_ID_AT) === APPLICATION_ID;
}

/** It appears under its name when it is marked as ours: a start that is cut off leaves nothing half made. */
function create(place: string): void {
  const draft = `${place}.new`;
  for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${draft}${end}`, {force: true});
  closeSync(openSync(draft, 'wx', 0o600));
  const db = new Database(draft, {fileMustExist: true});
  try {
    db.pragma('synchronous = FULL');
    db.pragma(`application_id = ${APPLICATION_ID}`);
  } finally {
    db.close();
  }
  renameSync(draft, place);
  const folder = openSync(dirname(place), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
