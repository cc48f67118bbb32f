import {
  DummyDriver,
  Kysely,
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryId,
  type SelectQueryNode,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type {Schema} from './schema.js';

export type Engine = 'sqlite' | 'postgres';

/** Stands in a query for a value that every call gives anew. */
export class Placeholder {
  constructor(readonly name: string) {}

  /** A query is built once: what is computed from its parameters while it is built would be computed from nothing. */
  [Symbol.toPrimitive](): never {
    throw new TypeError(`the parameter "${this.name}" has no value while the query is built`);
  }
}

// Everything that is no placeholder is a constant of the program and is written into the text: so the planner sees the
// states of a partial index, and 7 / 2 is 3 on both engines (better-sqlite3 binds every number as a float).
class SqliteCompiler extends SqliteQueryCompiler {
  protected override appendValue(value: unknown): void {
    if (value instanceof Placeholder) super.appendValue(value);
    else this.appendImmediateValue(value);
  }
}

class PostgresCompiler extends PostgresQueryCompiler {
  protected override appendValue(value: unknown): void {
    if (value instanceof Placeholder) super.appendValue(value);
    else this.appendImmediateValue(value);
  }
}

const LOCKS = new Set(['ForUpdate', 'ForNoKeyUpdate', 'ForShare', 'ForKeyShare', 'NoWait', 'SkipLocked']);

class WithoutLocks extends OperationNodeTransformer {
  protected override transformSelectQuery(node: SelectQueryNode, queryId?: QueryId): SelectQueryNode {
    const {endModifiers, ...rest} = super.transformSelectQuery(node, queryId);
    const kept = endModifiers?.filter(({modifier}) => modifier === undefined || !LOCKS.has(modifier)) ?? [];
    return kept.length === 0 ? rest : {...rest, endModifiers: kept};
  }
}

/** SQLite has one writer at a time: there is nothing for a row lock to do, and no word for it. */
function withoutLocks(): KyselyPlugin {
  const transformer = new WithoutLocks();
  return {
    transformQuery: ({node, queryId}) => transformer.transformNode(node as OperationNode, queryId) as typeof node,
    transformResult: ({result}) => Promise.resolve(result),
  };
}

/** Kysely that only writes SQL, in the words of one engine: it has no connection. */
export function createCompiler(engine: Engine): Kysely<Schema> {
  if (engine === 'postgres') {
    return new Kysely<Schema>({
      dialect: {
        createAdapter: () => new PostgresAdapter(),
        createDriver: () => new DummyDriver(),
        createIntrospector: (db) => new PostgresIntrospector(db),
        createQueryCompiler: () => new PostgresCompiler(),
      },
    });
  }
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteCompiler(),
    },
    plugins: [withoutLocks()],
  });
}
