import type {Compilable, Kysely} from 'kysely';
import type {Engine} from '../compiler.js';

/** A step of the schema. Once released it is never changed: the next one corrects it. */
export interface Migration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  /** The statements, run in this order in one transaction with the note that they were. */
  statements(db: Kysely<unknown>, words: Words): Compilable[];
}

/** Where the engines use other words. */
export interface Words {
  /** A whole number of 64 bits. */
  readonly integer: 'integer' | 'bigint';
  /** How the definition of a table ends. */
  readonly tableEnd: string;
  /** The same for a small table that is only ever looked up by its key. */
  readonly keyTableEnd: string;
  /** A number that the database gives each row; numbers are never used again. */
  readonly identity: string;
}

const WORDS: Record<Engine, Words> = {
  sqlite: {
    integer: 'integer',
    tableEnd: 'strict',
    keyTableEnd: 'strict, without rowid',
    identity: 'integer primary key autoincrement',
  },
  postgres: {
    integer: 'bigint',
    tableEnd: '',
    keyTableEnd: '',
    identity: 'bigint generated always as identity primary key',
  },
};

/** The SQL of a migration for an engine. */
export function migrationSql(migration: Migration, db: Kysely<unknown>, engine: Engine): string[] {
  return migration.statements(db, WORDS[engine]).map((statement) => statement.compile().sql);
}
