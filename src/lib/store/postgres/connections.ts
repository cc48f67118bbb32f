import pg from 'pg';
import {failures} from '../failures.js';
import type {StoreLog} from '../store.js';
import {ConnectionLost, shortly} from './errors.js';
import {ask} from './transaction.js';
import {types} from './types.js';

const POOL_SIZE = 8;
/** Also the limit for waiting until one of the pool is free. */
const CONNECT_LIMIT_MS = 5000;
const STATEMENT_LIMIT_MS = 5000;
/** When not even the refusal of a statement arrives: the server hangs or the network swallows. */
const ANSWER_LIMIT_MS = 10_000;
const IDLE_IN_TRANSACTION_LIMIT_MS = 10_000;
const PROBE_MS = 1000;

/** The pool, and whether the server can be reached: while it cannot, it is asked every second. */
export class Connections {
  ready = true;
  readonly #pool: pg.Pool;
  readonly #log: StoreLog;
  #probe: NodeJS.Timeout | undefined;
  #closed = false;
  /** Uses that have begun, also those that still wait for a connection. */
  #wanted = 0;
  #lent = 0;
  #allReturned: (() => void) | undefined;

  constructor(dsn: string, size: number = POOL_SIZE, log: StoreLog) {
    this.#log = log;
    this.#pool = new pg.Pool({
      connectionString: dsn,
      max: size,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      statement_timeout: STATEMENT_LIMIT_MS,
      query_timeout: ANSWER_LIMIT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_LIMIT_MS,
      keepAlive: true,
      application_name: 'paynetctl',
      types,
    });
    // A connection that breaks says so on the pool while it is idle and on itself while it is in use. Without a listener
    // in both places the process would end.
    this.#pool.on('error', (error) => this.#down(error));
    this.#pool.on('connect', (client) => client.on('error', (error) => this.#down(error)));
  }

  /**
   * Lends a connection for the time of `use`; one that is lost meanwhile is thrown away.
   * @throws PaynetError STORE_UNAVAILABLE, STORE_BUSY, and what `use` throws
   */
  async lend<R>(use: (client: pg.PoolClient) => Promise<R>): Promise<R> {
    this.#wanted += 1;
    try {
      return await this.#use(await this.#connect(), use);
    } finally {
      this.#wanted -= 1;
      if (this.#wanted === 0) this.#allReturned?.();
    }
  }

  /** Ends when everything that was lent is returned; each use has its own limit. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#probe);
    if (this.#wanted > 0) {
      await new Promise<void>((resolve) => {
        this.#allReturned = resolve;
      });
    }
    await this.#pool.end();
  }

  async #connect(): Promise<pg.PoolClient> {
    try {
      return await this.#pool.connect();
    } catch (error) {
      // The limit for a free one has passed: the server is slow, not away.
      if (this.#lent >= this.#pool.options.max)
        throw failures.busy('all connections to the database are in use', error);
      this.#down(error);
      throw failures.unavailable(shortly(error), error);
    }
  }

  async #use<R>(client: pg.PoolClient, use: (client: pg.PoolClient) => Promise<R>): Promise<R> {
    let lost = false;
    this.#lent += 1;
    try {
      const result = await use(client);
      this.#up();
      return result;
    } catch (error) {
      lost = error instanceof ConnectionLost;
      if (lost) this.#down(error);
      throw error;
    } finally {
      this.#lent -= 1;
      client.release(lost);
    }
  }

  #up(): void {
    if (this.ready) return;
    this.ready = true;
    this.#log.info({}, 'the database is reached again');
  }

  #down(error: unknown): void {
    if (!this.ready || this.#closed) return;
    this.ready = false;
    this.#log.warn({reason: shortly(error)}, 'the database cannot be reached');
    this.#ask();
  }

  /** Nothing else would tell that it is back when nobody calls, since nobody is sent to a node that is not ready. */
  #ask(): void {
    this.#probe = setTimeout(() => {
      this.lend((client) => ask(client, 'select 1'))
        .catch(() => {}) // It was told when it went away.
        .finally(() => {
          if (!this.ready && !this.#closed) this.#ask();
        });
    }, PROBE_MS).unref();
  }
}
