import type {Kysely} from 'kysely';
import pg from 'pg';
import {PaynetError} from '../../errors.js';
import {createCompiler} from '../compiler.js';
import {failures} from '../failures.js';
import {type Migration, migrationSql} from '../migrations/index.js';
import {ConnectionLost, explain, fromDriver, shortly, sqlState} from './errors.js';

const CONNECT_LIMIT_MS = 5000;
/** "PAYN": nodes that start together migrate one after the other. */
const LOCK = 0x5041594e;
const LOCK_LIMIT_MS = 60_000;
const TABLE_EXISTS = '42P07';

/**
 * Brings the schema up to date, on a connection of its own without the limits of everyday statements. Each step is one
 * transaction.
 * @throws PaynetError STORE_UNAVAILABLE, STORE_NOT_DURABLE, STORE_NEWER, STORE_FOREIGN
 */
export async function migrate(dsn: string, migrations: readonly Migration[]): Promise<void> {
  const client = new pg.Client({
    connectionString: dsn,
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
    application_name: 'paynetctl',
  });
  // Its own statement fails with the same error; without a listener the process would end.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw failures.unavailable(shortly(error), error);
  }
  try {
    await requireDurable(client);
    await bringUpToDate(client, migrations);
  } catch (error) {
    throw error instanceof PaynetError ? error : explain(fromDriver(error));
  } finally {
    await client.end();
  }
}

async function requireDurable(client: pg.Client): Promise<void> {
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    const {rows} = await client.query<{value: string}>('select current_setting($1) as value', [setting]);
    if (rows[0]?.value === 'off') throw failures.unsafePostgres(setting);
  }
}

async function bringUpToDate(client: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const place = `"${client.database ?? ''}"`;
  const compiler = createCompiler('postgres') as unknown as Kysely<unknown>;
  await client.query(`set lock_timeout = ${LOCK_LIMIT_MS}`);
  // It is freed with the connection.
  await client.query('select pg_advisory_lock($1)', [LOCK]);
  const version = await versionOf(client);
  if (version > migrations.length) throw failures.newer(place, version, migrations.length);
  for (const migration of migrations.slice(version)) {
    await client.query('begin');
    try {
      await client.query(
        'create table if not exists store_migrations ' +
          '(version bigint primary key, name text not null, applied_at bigint not null)',
      );
      for (const statement of migrationSql(migration, compiler, 'postgres')) await client.query(statement);
      const {version, name} = migration;
      await client.query('insert into store_migrations values ($1, $2, $3)', [version, name, Date.now()]);
      await client.query('commit');
    } catch (error) {
      if (!(fromDriver(error) instanceof ConnectionLost)) await client.query('rollback');
      throw sqlState(error) === TABLE_EXISTS ? failures.foreign(`the PostgreSQL database ${place}`) : error;
    }
  }
}

async function versionOf(client: pg.Client): Promise<number> {
  const {rows} = await client.query<{found: boolean}>("select to_regclass('store_migrations') is not null as found");
  if (rows[0]?.found !== true) return 0;
  const {rows: versions} = await client.query<{version: string | null}>(
    'select max(version) as version from store_migrations',
  );
  return Number(versions[0]?.version ?? 0);
}
