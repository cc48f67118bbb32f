import Database from 'better-sqlite3';
import {failures} from '../failures.js';

const BUSY_TIMEOUT_MS = 250;
/** After a burst the log is cut back to this. */
const LOG_KEPT_BYTES = 64 * 1024 * 1024;

/**
 * Refuses a SQLite with the defect of resetting the log (repaired in 3.51.3 and 3.53; 3.52.0 was withdrawn).
 * @throws PaynetError STORE_SQLITE_VERSION
 */
export function requireSafeSqlite(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const number = (major * 1000 + minor) * 1000 + patch;
  if (!(number >= 3_051_003) || number === 3_052_000) throw failures.unsafeSqlite(version);
}

/** The version of SQLite that this program carries. */
export function sqliteVersion(): string {
  const db = new Database(':memory:');
  try {
    return String(db.prepare('select sqlite_version()').pluck().get());
  } finally {
    db.close();
  }
}

/**
 * The one connection that writes. What durability rests on is set at every opening, since the file does not keep it
 * (the driver's own choice in WAL mode is NORMAL), and read back.
 * @throws PaynetError STORE_PATH the file system cannot do this
 */
export function openWriter(place: string): Database.Database {
  const db = new Database(place, {fileMustExist: true, timeout: BUSY_TIMEOUT_MS});
  try {
    set(db, place, 'journal_mode', 'WAL', 'wal');
    set(db, place, 'synchronous', 'FULL', 2);
    set(db, place, 'foreign_keys', 'ON', 1);
    set(db, place, 'busy_timeout', String(BUSY_TIMEOUT_MS), BUSY_TIMEOUT_MS);
    // The writer does it itself, after it has answered, and sees its errors.
    set(db, place, 'wal_autocheckpoint', '0', 0);
    set(db, place, 'journal_size_limit', String(LOG_KEPT_BYTES), LOG_KEPT_BYTES);
    // Nothing is sorted in files: there may be no space for them.
    set(db, place, 'temp_store', 'MEMORY', 2);
    set(db, place, 'trusted_schema', 'OFF', 0);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function set(db: Database.Database, place: string, name: string, value: string, expected: unknown): void {
  db.pragma(`${name} = ${value}`);
  const found = db.pragma(name, {simple: true});
  if (found !== expected) throw failures.path(place, `SQLite does not take ${name} = ${value} here`, undefined);
}

/**
 * A connection to look at a database that it leaves as it is: it makes none, and changes no mode. It is closed as a
 * writer is: what it made beside the file goes with it, unless others use it.
 */
export function openVisitor(place: string): Database.Database {
  const db = new Database(place, {fileMustExist: true, timeout: BUSY_TIMEOUT_MS});
  db.pragma('trusted_schema = OFF');
  return db;
}

/** A connection that only reads. In WAL mode it waits for no writer and keeps none waiting. */
export function openReader(place: string): Database.Database {
  const db = new Database(place, {readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS});
  db.pragma('temp_store = MEMORY');
  db.pragma('trusted_schema = OFF');
  // Only from its first read on does it hold the file open for SQLite, too.
  db.prepare('select count(*) from sqlite_schema').get();
  return db;
}
