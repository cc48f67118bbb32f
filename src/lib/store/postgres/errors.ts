import pg from 'pg';
import {codeOf, messageOf} from '../../errors.js';
import {failures} from '../failures.js';

/** The SQLSTATE of an error that the server has reported. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** The connection is gone or cannot be used any more: the server ended it, or it has not answered in time. */
export class ConnectionLost extends Error {
  /** What the caller gets, and that the operation is not to be tried again; absent when nothing of it was kept. */
  readonly outcome: unknown;

  constructor(cause: unknown, outcome?: unknown) {
    super(shortly(cause), {cause});
    this.outcome = outcome;
  }
}

/**
 * Passes on what the driver has thrown, with what means the end of the connection marked as such. Only here is it known
 * that an error without an SQLSTATE is one of the connection, and not somebody's defect.
 */
export function fromDriver(error: unknown): unknown {
  if (error instanceof TypeError || error instanceof RangeError) return error;
  if (!(error instanceof pg.DatabaseError)) return new ConnectionLost(error);
  // Shutdown, crash, start, idle in a transaction for too long, and the class of connection errors.
  return /^(57P0[123]|25P03|08...)$/.test(error.code ?? '') ? new ConnectionLost(error) : error;
}

/** Run again, the same transaction may well succeed. */
export function isTransient(error: unknown): boolean {
  return /^(40001|40P01)$/.test(sqlState(error) ?? '');
}

/** What an error of a transaction that was not committed means; anything that is not the database's passes. */
export function explain(error: unknown): unknown {
  if (error instanceof ConnectionLost) {
    return error.outcome ?? failures.unavailable(error.message, error.cause);
  }
  if (!(error instanceof pg.DatabaseError)) return error;
  const {code = '', message, table = 'it', detail = ''} = error;
  if (code === '23505') {
    const columns = /^[^(]*\(([^)]*)\)=/.exec(detail)?.[1] ?? error.constraint ?? 'key';
    const names = columns.split(', ').map((column) => `${table}.${column}`);
    return failures.conflict(names.join(', '), error);
  }
  if (/^2[23]/.test(code)) return failures.refused(message, error);
  if (isTransient(error) || code === '55P03') return failures.busy('others write the same rows', error);
  if (code === '57014') return failures.timeout('a statement', error);
  if (code === '53100') return failures.full(error);
  if (/^53/.test(code)) return failures.busy(message, error);
  return failures.failed(`${message} (${code})`, error);
}

/** A failed attempt on several addresses has no sentence of its own. */
export function shortly(error: unknown): string {
  return messageOf(error) || (codeOf(error) ?? 'no reason given');
}
