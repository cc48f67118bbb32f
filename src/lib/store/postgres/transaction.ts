import type {PoolClient, QueryConfig} from 'pg';
import type {Tx} from '../operation.js';
import {bind, type ParamsOf, type Query, type Value} from '../query.js';
import {fromDriver} from './errors.js';

interface Answer {
  rows: unknown[];
  rowCount: number | null;
}

/** Runs a query on a connection; the plan is kept there under the statement's name. */
export async function execute(
  client: PoolClient,
  query: Query<never, unknown>,
  params: object | undefined,
): Promise<Answer> {
  const statement = query.statement('postgres');
  const values: Value[] = bind(statement, params);
  const {name, sql: text} = statement;
  return ask(client, {name, text, values});
}

/** Runs a statement. What it throws says whether the connection is lost. */
export async function ask(client: PoolClient, statement: string | QueryConfig): Promise<Answer> {
  try {
    return await client.query(statement);
  } catch (error) {
    throw fromDriver(error);
  }
}

/** One operation's transaction. */
export class PostgresTx implements Tx {
  /** Of the first statement that failed. */
  failure: unknown;
  #open = true;
  readonly #client: PoolClient;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  async all<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R[]> {
    return (await this.#execute(query, params[0])).rows as R[];
  }

  async first<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<R | undefined> {
    return (await this.#execute(query, params[0])).rows[0] as R | undefined;
  }

  async run<P, R>(query: Query<P, R>, ...params: ParamsOf<P>): Promise<number> {
    return (await this.#execute(query, params[0])).rowCount ?? 0;
  }

  end(): void {
    this.#open = false;
  }

  async #execute(query: Query<never, unknown>, params: unknown): Promise<Answer> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.#open) throw new Error('the operation has ended: its transaction cannot be used any more');
    try {
      return await execute(this.#client, query, params as object | undefined);
    } catch (error) {
      this.failure ??= error;
      throw error;
    }
  }
}
