import type {Database} from 'better-sqlite3';
import type {PaynetError} from '../../errors.js';
import {failures} from '../failures.js';
import {type Operation, unknownOperation} from '../operation.js';
import type {ParamsOf, Query} from '../query.js';
import type {Store, StoreFigures, StoreLog} from '../store.js';
import {openReader, requireSafeSqlite, sqliteVersion} from './connection.js';
import {explain, isFatal} from './errors.js';
import {lockOrVisit} from './guest.js';
import {takeLock} from './lock.js';
import {claimPlace, placeOf} from './place.js';
import {Statements} from './statements.js';
import {Writer} from './writer.js';

export interface SqliteOptions {
  /** The modules that hold the operations. */
  modules: readonly string[];
  log: StoreLog;
  /** As a guest, when another process holds the database. */
  alongside: boolean;
}

/**
 * Opens a database file, or makes it. It serves one process, and guests for a moment.
 * @throws PaynetError STORE_SQLITE_VERSION, STORE_PATH, STORE_LOCKED, STORE_FOREIGN, STORE_DAMAGED, STORE_NEWER,
 * STORE_OLDER (for guests), STORE_OPERATIONS; the file was not changed then
 */
export async function openSqlite(path: string, {modules, log, alongside}: SqliteOptions): Promise<Store> {
  requireSafeSqlite(sqliteVersion());
  const place = placeOf(path);
  const held = alongside ? await lockOrVisit(place) : takeLock(place);
  const guest = held === 'guest';
  const unlock = guest ? () => {} : held;
  try {
    if (!guest && claimPlace(place)) {
      log.warn({path: place}, 'the database could be read by others; now only by its owner');
    }
    const writer = await Writer.start({place, modules, guest});
    void writer.broken.then((error) => log.error({code: error.code, reason: error.message}, 'the storage has failed'));
    return new SqliteStore(writer, openReader(place), unlock);
  } catch (error) {
    unlock();
    throw explain(error);
  }
}

class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly #writer: Writer;
  readonly #reader: Database;
  readonly #statements: Statements;
  readonly #unlock: () => void;
  #closed: Promise<void> | undefined;

  constructor(writer: Writer, reader: Database, unlock: () => void) {
    this.#writer = writer;
    this.#reader = reader;
    this.#statements = new Statements(reader);
    this.#unlock = unlock;
  }

  get ready(): boolean {
    return this.#closed === undefined && this.#writer.failure === undefined;
  }

  get broken(): Promise<PaynetError> {
    return this.#writer.broken;
  }

  get figures(): StoreFigures {
    const {operations, transactions} = this.#writer;
    return {operations, transactions};
  }

  run<A, R>(operation: Operation<A, R>, args: A): Promise<R> {
    if (this.#closed !== undefined) return Promise.reject(failures.closed());
    if (!this.#writer.knows(operation.name)) return Promise.reject(unknownOperation(operation.name));
    return this.#writer.run(operation.name, args) as Promise<R>;
  }

  async read<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]> {
    this.#requireReadable();
    try {
      return this.#statements.all(query, params[0] as object | undefined);
    } catch (error) {
      throw this.#judge(error);
    }
  }

  async readFirst<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined> {
    this.#requireReadable();
    try {
      return this.#statements.first(query, params[0] as object | undefined);
    } catch (error) {
      throw this.#judge(error);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    // The last to leave plays the log into the file and removes it. That is the writer; but after a failure nobody does
    // it, since no sync is tried again, and a connection that only reads cannot.
    const readerFirst = this.#writer.failure === undefined;
    if (readerFirst) this.#reader.close();
    try {
      await this.#writer.end();
    } finally {
      if (!readerFirst) this.#reader.close();
      this.#unlock();
    }
  }

  #requireReadable(): void {
    if (this.#closed !== undefined) throw failures.closed();
    // What a lookup says after a failed sync may not be what the next start finds.
    if (this.#writer.failure !== undefined) throw this.#writer.failure;
  }

  #judge(error: unknown): unknown {
    const reason = explain(error);
    if (isFatal(error)) this.#writer.fail(reason as PaynetError);
    return reason;
  }
}
