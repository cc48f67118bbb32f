import type {Database, Statement} from 'better-sqlite3';
import {bind, type Query, type Statement as Text} from '../query.js';

interface Prepared {
  text: Text;
  statement: Statement;
}

/** The prepared statements of one connection, each prepared at its first use. */
export class Statements {
  readonly #db: Database;
  readonly #prepared = new Map<unknown, Prepared>();

  constructor(db: Database) {
    this.#db = db;
  }

  all<R>(query: Query<never, R>, params: object | undefined): R[] {
    const {text, statement} = this.#of(query);
    return statement.all(bind(text, params)) as R[];
  }

  first<R>(query: Query<never, R>, params: object | undefined): R | undefined {
    const {text, statement} = this.#of(query);
    return statement.get(bind(text, params)) as R | undefined;
  }

  run(query: Query<never, unknown>, params: object | undefined): number {
    const {text, statement} = this.#of(query);
    const values = bind(text, params);
    // A write with `returning` is a reader to the driver.
    return statement.reader ? statement.all(values).length : statement.run(values).changes;
  }

  #of(query: Query<never, unknown>): Prepared {
    let prepared = this.#prepared.get(query);
    if (prepared === undefined) {
      const text = query.statement('sqlite');
      prepared = {text, statement: this.#db.prepare(text.sql)};
      this.#prepared.set(query, prepared);
    }
    return prepared;
  }
}
