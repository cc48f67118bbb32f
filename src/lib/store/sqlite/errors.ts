import Database from 'better-sqlite3';
import {messageOf, PaynetError} from '../../errors.js';
import {failures} from '../failures.js';

/** The code of an error of SQLite itself ('SQLITE_FULL', 'SQLITE_IOERR_FSYNC', …). */
export function sqliteCode(error: unknown): string | undefined {
  return error instanceof Database.SqliteError ? error.code : undefined;
}

/** After these nothing that the file says can be relied on; what failed is never tried again. */
export function isFatal(error: unknown): boolean {
  return /^SQLITE_(IOERR|CORRUPT|NOTADB)/.test(sqliteCode(error) ?? '') && !isFull(error);
}

/** Also when there is no space for the index of the log, which SQLite takes for an error of the disk. */
function isFull(error: unknown): boolean {
  return ['SQLITE_FULL', 'SQLITE_IOERR_SHMSIZE'].includes(sqliteCode(error) ?? '');
}

/** What the file holds cannot be right. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(sqliteCode(error) ?? '');
}

/** What an error of a statement or of a transaction means; anything that is not SQLite's passes. */
export function explain(error: unknown): unknown {
  const code = sqliteCode(error);
  if (code === undefined || error instanceof PaynetError) return error;
  const message = messageOf(error);
  if (isFull(error)) return failures.full(error);
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return failures.busy('another program writes to the database', error);
  if (isFatal(error)) return failures.broken(`${message} (${code})`, error);
  if (code === 'SQLITE_CONSTRAINT_UNIQUE' || code === 'SQLITE_CONSTRAINT_PRIMARYKEY') {
    return failures.conflict(message.replace(/^.*failed: /, ''), error);
  }
  if (code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_TOOBIG' || code === 'SQLITE_MISMATCH') {
    return failures.refused(message, error);
  }
  return failures.failed(`${message} (${code})`, error);
}
