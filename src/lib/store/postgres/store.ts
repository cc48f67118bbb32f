import {setTimeout as pause} from 'node:timers/promises';
import pg from 'pg';
import type {PaynetError} from '../../errors.js';
import {failures} from '../failures.js';
import {migrations} from '../migrations/index.js';
import {type AnyOperation, loadOperations, type Operation, unknownOperation} from '../operation.js';
import type {ParamsOf, Query} from '../query.js';
import type {Store, StoreFigures, StoreLog} from '../store.js';
import {Connections} from './connections.js';
import {ConnectionLost, explain, isTransient, shortly, sqlState} from './errors.js';
import {migrate} from './migrate.js';
import {ask, execute, PostgresTx} from './transaction.js';

const ATTEMPTS = 3;
/** Two that were in each other's way do not come back at the same moment. */
const RETRY_MS = 20;
/** Each statement has its own limit: this is for an operation that awaits something else. */
const OPERATION_LIMIT_MS = 10_000;

/**
 * Connects to a PostgreSQL database. Many nodes may share it.
 * @throws PaynetError STORE_DSN, STORE_UNAVAILABLE, STORE_NOT_DURABLE, STORE_NEWER, STORE_FOREIGN, STORE_OPERATIONS
 */
export async function openPostgres(
  dsn: string,
  poolSize: number | undefined,
  modules: readonly string[],
  log: StoreLog,
): Promise<Store> {
  requireDsn(dsn);
  const operations = await loadOperations(modules);
  await migrate(dsn, migrations);
  return new PostgresStore(new Connections(dsn, poolSize, log), operations);
}

/** The parser's own error would repeat the password. */
function requireDsn(dsn: string): void {
  try {
    if (!/^postgres(ql)?:\/\//.test(dsn)) throw new Error('another scheme');
    new pg.Client({connectionString: dsn});
  } catch {
    throw failures.dsn();
  }
}

class PostgresStore implements Store {
  readonly engine = 'postgres';
  /** A server that is away comes back: nothing here is broken for good. */
  readonly broken = new Promise<PaynetError>(() => {});
  readonly #connections: Connections;
  readonly #operations: ReadonlyMap<string, AnyOperation>;
  readonly #figures = {operations: 0, transactions: 0};
  #closed: Promise<void> | undefined;

  constructor(connections: Connections, operations: ReadonlyMap<string, AnyOperation>) {
    this.#connections = connections;
    this.#operations = operations;
  }

  get ready(): boolean {
    return this.#closed === undefined && this.#connections.ready;
  }

  get figures(): StoreFigures {
    return {...this.#figures};
  }

  async run<A, R>({name}: Operation<A, R>, args: A): Promise<R> {
    if (this.#closed !== undefined) throw failures.closed();
    const operation = this.#operations.get(name);
    if (operation === undefined) throw unknownOperation(name);
    const result = await this.#persist(() =>
      this.#connections.lend((client) => this.#transact(client, operation, args)),
    );
    this.#figures.operations += 1;
    return result as R;
  }

  async read<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]> {
    if (this.#closed !== undefined) throw failures.closed();
    const {rows} = await this.#persist(() =>
      this.#connections.lend((client) => execute(client, query, params[0] as object | undefined)),
    );
    return rows as R[];
  }

  async readFirst<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined> {
    return (await this.read(query, ...params))[0];
  }

  close(): Promise<void> {
    this.#closed ??= this.#connections.close();
    return this.#closed;
  }

  /** Nothing of a failed attempt was kept, so it can be made again: after a deadlock, or on another connection. */
  async #persist<R>(attempt: () => Promise<R>): Promise<R> {
    for (let left = ATTEMPTS - 1; ; left -= 1) {
      try {
        return await attempt();
      } catch (error) {
        if (left === 0 || !mayRetry(error)) throw explain(error);
        await pause(Math.random() * RETRY_MS);
      }
    }
  }

  async #transact(client: pg.PoolClient, operation: AnyOperation, args: unknown): Promise<unknown> {
    const tx = new PostgresTx(client);
    let result: unknown;
    try {
      await ask(client, 'BEGIN');
      result = await limited(operation.run(tx, args));
      if (tx.failure !== undefined) throw tx.failure;
    } catch (error) {
      throw await undone(client, tx.failure ?? error);
    } finally {
      tx.end();
    }
    this.#figures.transactions += 1;
    try {
      await client.query('COMMIT');
    } catch (error) {
      // Only these say for sure that it did not happen.
      if (/^(23|40)/.test(sqlState(error) ?? '')) throw error;
      const outcome = failures.uncertain(`the answer to the commit is missing (${shortly(error)})`, error);
      throw new ConnectionLost(error, outcome);
    }
    return result;
  }
}

function mayRetry(error: unknown): boolean {
  return error instanceof ConnectionLost ? error.outcome === undefined : isTransient(error);
}

/** Rolls back; returns what to throw. */
async function undone(client: pg.PoolClient, reason: unknown): Promise<unknown> {
  if (reason instanceof ConnectionLost) return reason;
  try {
    await ask(client, 'ROLLBACK');
    return reason;
  } catch (error) {
    // The server does it when it misses the connection. What the operation said stands.
    return new ConnectionLost(error, explain(reason));
  }
}

function limited<R>(promise: Promise<R>): Promise<R> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(failures.timeout('an operation')), OPERATION_LIMIT_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(limit));
  });
}
