import type {PaynetError} from '../errors.js';
import type {Engine} from './compiler.js';
import type {Operation} from './operation.js';
import type {ParamsOf, Query} from './query.js';

/** What has been written so far. A transaction is one sync of the disk. */
export interface StoreFigures {
  readonly operations: number;
  readonly transactions: number;
}

/** The one place where anything lasts. What `run` has answered survives a power cut. */
export interface Store {
  readonly engine: Engine;
  /** Whether writes can be expected to work now. PostgreSQL comes back by itself. */
  readonly ready: boolean;
  /** Resolves when the storage has failed for good: the process should end. Never rejects. */
  readonly broken: Promise<PaynetError>;
  readonly figures: StoreFigures;
  /**
   * Runs a write in a transaction and answers when it is durable. On SQLite operations run one after the other in the
   * order of the calls; on PostgreSQL side by side.
   * @throws what the operation throws, and PaynetError. Nothing was written with STORE_FULL, STORE_BUSY, STORE_TIMEOUT,
   * STORE_UNAVAILABLE, STORE_CONFLICT, STORE_REFUSED, STORE_FAILED, STORE_BROKEN, STORE_CLOSED. With STORE_UNCERTAIN
   * it may have been: look it up by its own key.
   */
  run<A, R>(operation: Operation<A, R>, args: A): Promise<R>;
  /** The rows of a query, outside any transaction. It sees everything that has been answered; it waits for no writer. */
  read<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]>;
  readFirst<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined>;
  /** Ends after everything that was asked for is answered. A second call waits for the first. */
  close(): Promise<void>;
}

/** What the store needs of a log. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
