import {PaynetError} from '../errors.js';
import type {ParamsOf, Query} from './query.js';

/**
 * A transaction, as an operation sees it. When one of its statements has failed the transaction can only end: further
 * statements are refused, nothing of it is kept, and that failure is what the caller gets, whatever the operation makes
 * of it. So what may collide is written with `on conflict do nothing` and judged by the number of rows.
 */
export interface Tx {
  all<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]>;
  first<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined>;
  /** Returns the number of rows that were written. */
  run<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<number>;
}

const OPERATION = Symbol.for('paynetctl.operation');

/** A named write. Arguments and result are plain data: they go to another thread and back. */
export interface Operation<A, R> {
  readonly name: string;
  readonly run: (tx: Tx, args: A) => Promise<R>;
  readonly [OPERATION]: true;
}

/**
 * Defines a write: a function over a transaction, the same for both engines. It may be run more than once for one call
 * (PostgreSQL: after a deadlock or a lost connection), and on SQLite in another thread: it has no effects but its
 * statements, takes time and chance as arguments, awaits nothing but `tx`, and throws to undo everything it did.
 * It must be exported by a module whose URL the store is given.
 */
export function defineOperation<A, R>(name: string, run: (tx: Tx, args: A) => Promise<R>): Operation<A, R> {
  return {name, run, [OPERATION]: true};
}

export type AnyOperation = Operation<unknown, unknown>;

/**
 * The operations that these modules export, by name.
 * @throws PaynetError STORE_OPERATIONS a module has none, or two have one name
 */
export async function loadOperations(modules: readonly string[]): Promise<Map<string, AnyOperation>> {
  const operations = new Map<string, AnyOperation>();
  for (const url of modules) {
    const found = Object.values((await import(url)) as Record<string, unknown>).filter(isOperation);
    if (found.length === 0) throw wrong(`${url} exports no operation`);
    for (const operation of found) {
      const known = operations.get(operation.name);
      if (known !== undefined && known !== operation) throw wrong(`two operations are named "${operation.name}"`);
      operations.set(operation.name, operation);
    }
  }
  return operations;
}

function isOperation(value: unknown): value is AnyOperation {
  return typeof value === 'object' && value !== null && OPERATION in value;
}

function wrong(message: string): PaynetError {
  return new PaynetError('STORE_OPERATIONS', message);
}

export function unknownOperation(name: string): PaynetError {
  return new PaynetError('STORE_OPERATIONS', `no module of the store defines the operation "${name}"`);
}
