import type {Tx} from '../operation.js';
import type {ParamsOf, Query} from '../query.js';
import type {Statements} from './statements.js';

/** One operation's view of the shared transaction. */
export class SqliteTx implements Tx {
  /** Of the first statement that failed, as SQLite said it. */
  failure: unknown;
  #open = true;
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  async all<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]> {
    this.#enter();
    try {
      return this.#statements.all(query, params[0] as object | undefined);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async first<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined> {
    this.#enter();
    try {
      return this.#statements.first(query, params[0] as object | undefined);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async run<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<number> {
    this.#enter();
    try {
      return this.#statements.run(query, params[0] as object | undefined);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  end(): void {
    this.#open = false;
  }

  #enter(): void {
    // PostgreSQL lets nothing more happen in a transaction after an error, so neither may an operation here.
    if (this.failure !== undefined) throw this.failure;
    if (!this.#open) throw new Error('the operation has ended: its transaction cannot be used any more');
  }

  #failed(error: unknown): unknown {
    this.failure = error;
    return error;
  }
}
