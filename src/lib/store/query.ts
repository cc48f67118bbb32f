import {createHash} from 'node:crypto';
import type {Compilable, Kysely} from 'kysely';
import {createCompiler, type Engine, Placeholder} from './compiler.js';
import type {Schema} from './schema.js';

/** What a query can be given: plain values only. */
export type Value = string | number | bigint | null | Uint8Array;

/** Named parameters, as a query's builder sees them: placeholders with the types of the values to come. */
export type Params<P> = {readonly [K in keyof P]: P[K]};

/** The arguments after a query: none when it takes no parameters. */
export type ParamsOf<P> = [keyof P] extends [never] ? [params?: P] : [params: P];

/** SQL text, ready for an engine, and where its values come from. */
export interface Statement {
  /** One text gives one name; PostgreSQL keeps the plan under it. */
  readonly name: string;
  readonly sql: string;
  /** The parameter of each position; a name may be there more than once. */
  readonly slots: readonly string[];
}

/**
 * A query, built once: a call only fills in values. `P` are its parameters, `R` is a row of its answer. Both are
 * phantoms; a query is made by `prepare`.
 */
export interface Query<P, R> {
  statement(engine: Engine): Statement;
  readonly types?: {params: (params: P) => void; row: R};
}

const compilers: Record<Engine, Kysely<Schema>> = {
  sqlite: createCompiler('sqlite'),
  postgres: createCompiler('postgres'),
};

/**
 * Defines a query. `build` is called at most once per engine, at the first use, with placeholders for the parameters:
 * it can put them anywhere a value may stand, but cannot look at them. Row locks (`forUpdate` and so on) are left out
 * on SQLite, where there is one writer anyway.
 *
 *     const byNumber = prepare((db, p: Params<{orderNo: string}>) =>
 *       db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo));
 */
export function prepare<P extends object = object, R = unknown>(
  build: (db: Kysely<Schema>, params: Params<P>) => Compilable<R>,
): Query<P, R> {
  const statements: Partial<Record<Engine, Statement>> = {};
  return {
    statement(engine) {
      statements[engine] ??= compile(engine, build);
      return statements[engine];
    },
  };
}

function compile<P extends object>(
  engine: Engine,
  build: (db: Kysely<Schema>, params: Params<P>) => Compilable,
): Statement {
  const placeholders = new Proxy({} as Params<P>, {
    get: (_, name) => (typeof name === 'string' ? new Placeholder(name) : undefined),
  });
  const {sql, parameters} = build(compilers[engine], placeholders).compile();
  const name = createHash('sha256').update(sql).digest('base64url').slice(0, 22);
  return {name, sql, slots: parameters.map((parameter) => (parameter as Placeholder).name)};
}

/**
 * The values of a call, by position.
 * @throws TypeError a parameter is missing: PostgreSQL would quietly take it for null
 */
export function bind(statement: Statement, params: object | undefined): Value[] {
  const {slots} = statement;
  const values = new Array<Value>(slots.length);
  for (let index = 0; index < slots.length; index += 1) {
    const name = slots[index] as string;
    const value = (params as Record<string, Value | undefined> | undefined)?.[name];
    if (value === undefined) throw new TypeError(`the parameter "${name}" of a query is missing`);
    values[index] = value;
  }
  return values;
}
