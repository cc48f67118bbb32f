import {join} from 'node:path';
import Database from 'better-sqlite3';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Migration, migrations} from '../../src/lib/store/migrations/index.js';
import {migrate as migratePostgres} from '../../src/lib/store/postgres/migrate.js';
import {migrate as migrateSqlite} from '../../src/lib/store/sqlite/migrate.js';
import {ask, startPostgres, type TestPostgres} from './postgres.js';
import {tempFolder} from './support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

interface Place {
  migrate(steps: readonly Migration[]): Promise<void>;
  ask(sql: string): Promise<unknown[]>;
}

async function place(engine: 'sqlite' | 'postgres'): Promise<Place> {
  if (engine === 'postgres') {
    const dsn = await postgres.newDatabase();
    return {migrate: (steps) => migratePostgres(dsn, steps), ask: (text) => ask(dsn, text)};
  }
  const path = join(tempFolder(), 'x.db');
  const use = <R>(work: (db: Database.Database) => R): R => {
    const db = new Database(path);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  return {
    migrate: async (steps) => use((db) => migrateSqlite(db, steps)),
    ask: async (text) => use((db) => db.prepare(text).all()),
  };
}

const next = migrations.length + 1;
const later: Migration = {
  version: next,
  name: 'later',
  statements: (db) => [db.schema.alterTable('devices').addColumn('place', 'text')],
};
/** It gets half way. */
const faulty: Migration = {
  version: next,
  name: 'faulty',
  statements: (db) => [
    db.schema.alterTable('devices').addColumn('half', 'text'),
    db.schema.alterTable('nowhere').addColumn('x', 'text'),
  ],
};

describe.each(['sqlite', 'postgres'] as const)('on %s the schema', (engine) => {
  it('is made once, and each step is noted', async () => {
    const at = await place(engine);
    await at.migrate(migrations);
    await at.migrate(migrations);
    await at.migrate([...migrations, later]);
    await at.migrate([...migrations, later]);
    const noted = await at.ask('select name from store_migrations order by version');
    expect(noted).toEqual([...migrations, later].map(({name}) => ({name})));
    expect(await at.ask('select place from devices')).toEqual([]);
  });

  it('is the old one when a step fails half way, and the step can be made again', async () => {
    const at = await place(engine);
    await at.migrate(migrations);
    await expect(at.migrate([...migrations, faulty])).rejects.toThrow();
    expect(await at.ask('select name from store_migrations')).toHaveLength(migrations.length);
    await expect(at.ask('select half from devices')).rejects.toThrow();
    await at.migrate([...migrations, later]);
    expect(await at.ask('select place from devices')).toEqual([]);
  });

  it('has steps that are numbered without gaps', () => {
    expect(migrations.map(({version}) => version)).toEqual(migrations.map((_, index) => index + 1));
  });
});
