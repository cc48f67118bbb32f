import {existsSync} from 'node:fs';
import type {Database} from 'better-sqlite3';
import type {Kysely} from 'kysely';
import {messageOf} from '../../errors.js';
import {createCompiler} from '../compiler.js';
import {failures} from '../failures.js';
import {type Migration, migrationSql} from '../migrations/index.js';
import {openReader, openVisitor} from './connection.js';
import {isDamage} from './errors.js';

/**
 * Looks at a database without changing it.
 * @throws PaynetError STORE_DAMAGED, STORE_NEWER
 */
export function examine(place: string, migrations: readonly Migration[]): void {
  let db: Database | undefined;
  try {
    // Where there is no log, looking makes one. A connection that may write takes it away again, and SQLite itself sees
    // to it that nobody else uses it by then; one that only reads cannot. Where there is one, that one would play it in.
    db = existsSync(`${place}-wal`) ? openReader(place) : openVisitor(place);
    const found = db.pragma('quick_check(1)', {simple: true});
    if (found !== 'ok') throw failures.damaged(place, String(found));
    const theirs = versionOf(db);
    if (theirs > migrations.length) throw failures.newer(place, theirs, migrations.length);
  } catch (error) {
    throw isDamage(error) ? failures.damaged(place, messageOf(error), error) : error;
  } finally {
    db?.close();
  }
}

/**
 * A guest works with the schema that is there.
 * @throws PaynetError STORE_OLDER, STORE_NEWER
 */
export function requireSchema(db: Database, place: string, migrations: readonly Migration[]): void {
  const theirs = versionOf(db);
  if (theirs > migrations.length) throw failures.newer(place, theirs, migrations.length);
  if (theirs < migrations.length) throw failures.older(place, theirs, migrations.length);
}

function versionOf(db: Database): number {
  const table = db.prepare("select count(*) from sqlite_schema where name = 'store_migrations'").pluck().get();
  if (table === 0) return 0;
  return Number(db.prepare('select coalesce(max(version), 0) from store_migrations').pluck().get());
}

/** Brings the schema up to date. Each step is one transaction: a kill leaves the old or the new. */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  const compiler = createCompiler('sqlite') as unknown as Kysely<unknown>;
  for (const migration of migrations.slice(versionOf(db))) {
    db.exec('BEGIN IMMEDIATE');
    try {
      db.exec(
        'create table if not exists store_migrations ' +
          '(version integer primary key, name text not null, applied_at integer not null) strict',
      );
      for (const statement of migrationSql(migration, compiler, 'sqlite')) db.exec(statement);
      db.prepare('insert into store_migrations values (?, ?, ?)').run(migration.version, migration.name, Date.now());
      db.exec('COMMIT');
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }
}
