import {existsSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {openPostgres} from './postgres/store.js';
import {openSqlite} from './sqlite/store.js';
import type {Store, StoreLog} from './store.js';

export type StoreTarget =
  | {engine: 'sqlite'; path: string}
  /** `poolSize`: connections, 8 unless given. `dsn` may hold a password; it is never logged. */
  | {engine: 'postgres'; dsn: string; poolSize?: number};

export interface StoreOptions {
  /** The modules that export the operations. Both engines load them from here; nothing else can be run. */
  operations: readonly URL[];
  log: StoreLog;
  /**
   * For a short task beside a server, such as making an API key: a SQLite database that another process holds is used
   * with it, a few small writes at a time, and is neither made nor migrated then; its schema must be this program's.
   * One that nobody holds is opened as always. PostgreSQL makes no difference.
   */
  alongside?: boolean;
}

/**
 * Opens the storage and brings its schema up to date.
 * @throws PaynetError when it cannot be used; then nothing in it was changed
 */
export function openStore(target: StoreTarget, {operations, log, alongside = false}: StoreOptions): Promise<Store> {
  const modules = operations.map(sourceOf);
  return target.engine === 'sqlite'
    ? openSqlite(target.path, {modules, log, alongside})
    : openPostgres(target.dsn, target.poolSize, modules, log);
}

/** Sources name each other as they are called when built (.js); when they are run as they are, the file is a .ts. */
function sourceOf(url: URL): string {
  const source = url.href.replace(/\.js$/, '.ts');
  return existsSync(fileURLToPath(url)) ? url.href : source;
}
