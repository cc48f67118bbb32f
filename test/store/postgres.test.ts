import {once} from 'node:events';
import {connect, createServer, type Socket} from 'node:net';
import {afterAll, beforeAll, describe, expect, it, onTestFinished, vi} from 'vitest';
import {openStore} from '../../src/lib/store/index.js';
import {migrations} from '../../src/lib/store/migrations/index.js';
import * as op from './operations.js';
import {ask, startPostgres, type TestPostgres} from './postgres.js';
import {keepingLog, OPERATIONS, open} from './support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const quiet = {operations: [OPERATIONS], log: keepingLog()};

/** Ends every connection of a store, as an administrator can. */
const endAll = (): Promise<unknown> =>
  ask(
    postgres.admin,
    "select pg_terminate_backend(pid) from pg_stat_activity where datname like 'store%' and application_name = 'paynetctl'",
  );

describe('a connection that is lost', () => {
  it('while nobody uses it, is replaced', async () => {
    const log = keepingLog();
    const store = await open({engine: 'postgres', dsn: await postgres.newDatabase()}, log);
    await store.run(op.create, {orderNo: 'A'});
    await endAll();
    await vi.waitFor(() => expect(store.ready).toBe(false));
    expect(await store.run(op.create, {orderNo: 'B'})).toBe('B');
    expect(store.ready).toBe(true);
    expect(log.lines.map(({message}) => message)).toEqual([
      'the database cannot be reached',
      'the database is reached again',
    ]);
  });

  it('in the middle of an operation, costs an attempt and nothing else', async () => {
    const dsn = await postgres.newDatabase();
    const store = await open({engine: 'postgres', dsn});
    const written = store.run(op.linger, {orderNo: 'A', seconds: 1});
    await vi.waitFor(async () => {
      const rows = await ask(
        postgres.admin,
        "select 1 from pg_stat_activity where query like '%pg_sleep%' and application_name = 'paynetctl'",
      );
      expect(rows).toHaveLength(1);
    });
    await endAll();
    await written;
    expect(await store.read(op.countOrders)).toEqual([{count: 1}]);
    // The lost attempt has not got as far as its commit.
    expect(store.figures).toEqual({operations: 1, transactions: 1});
  });

  it('again and again, ends the operation and leaves nothing of it', async () => {
    const store = await open({engine: 'postgres', dsn: await postgres.newDatabase()});
    await expect(store.run(op.endConnection, 'A')).rejects.toMatchObject({code: 'STORE_UNAVAILABLE'});
    expect(await store.read(op.countOrders)).toEqual([{count: 0}]);
  });

  it('at the commit, leaves it uncertain: and that is said', async () => {
    const dsn = await postgres.newDatabase();
    const proxy = await startProxy(Number(new URL(dsn).port), 'COMMIT');
    const store = await open({engine: 'postgres', dsn: dsn.replace(/:\d+\//, `:${proxy.port}/`), poolSize: 1});
    proxy.swallow();
    await expect(store.run(op.create, {orderNo: 'A'})).rejects.toMatchObject({
      code: 'STORE_UNCERTAIN',
      hint: expect.stringContaining('Look it up'),
    });
    // Here it was committed: written once, not again by a retry of ours.
    expect(await store.readFirst(op.orderByNo, {orderNo: 'A'})).toBeDefined();
    expect(proxy.swallowed).toBe(1);
  });
});

describe('the server', () => {
  it('restarts: writes fail clearly while it is away, and work again by themselves', {timeout: 60_000}, async () => {
    const store = await open({engine: 'postgres', dsn: await postgres.newDatabase()});
    await store.run(op.create, {orderNo: 'A'});
    await postgres.stop();
    await expect(store.run(op.create, {orderNo: 'B'})).rejects.toMatchObject({code: 'STORE_UNAVAILABLE'});
    await expect(store.read(op.countOrders)).rejects.toMatchObject({code: 'STORE_UNAVAILABLE'});
    expect(store.ready).toBe(false);
    await postgres.start();
    // Nobody calls it, and yet it finds out.
    await vi.waitFor(() => expect(store.ready).toBe(true), 10_000);
    await store.run(op.create, {orderNo: 'C'});
    expect((await store.read(op.ordersOfDevice, {deviceId: 'D1'})).map((row) => row.order_no).toSorted()).toEqual([
      'A',
      'C',
    ]);
  });

  it('is not there at the start', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    server.close();
    const dsn = `postgres://paynet:secret@127.0.0.1:${port}/x`;
    const failed = await openStore({engine: 'postgres', dsn}, quiet).catch((error: unknown) => error);
    expect(failed).toMatchObject({code: 'STORE_UNAVAILABLE'});
    expect(JSON.stringify(failed) + String(failed)).not.toContain('secret');
  });

  it('accepts connections and never says anything: that is not waited for', {timeout: 20_000}, async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await expect(
      openStore({engine: 'postgres', dsn: `postgres://paynet@127.0.0.1:${port}/x`}, quiet),
    ).rejects.toMatchObject({code: 'STORE_UNAVAILABLE'});
  });

  it('ends a statement that takes too long', {timeout: 20_000}, async () => {
    const store = await open({engine: 'postgres', dsn: await postgres.newDatabase()});
    await expect(store.run(op.linger, {orderNo: 'A', seconds: 60})).rejects.toMatchObject({code: 'STORE_TIMEOUT'});
    expect(await store.read(op.countOrders)).toEqual([{count: 0}]);
    expect(store.ready).toBe(true);
  });

  it('ends a transaction that does nothing', {timeout: 60_000}, async () => {
    const store = await open({engine: 'postgres', dsn: await postgres.newDatabase(), poolSize: 1});
    await expect(store.run(op.hang, 'A')).rejects.toMatchObject({code: 'STORE_TIMEOUT'});
    expect(await store.run(op.create, {orderNo: 'B'})).toBe('B');
    expect(await store.read(op.countOrders)).toEqual([{count: 1}]);
  });
});

describe('refused', () => {
  it.each(['localhost:5432', 'mysql://root:secret@localhost/x', 'postgres://paynet:se cret@[::1/x'])(
    'as an address: %s',
    async (dsn) => {
      const failed = await openStore({engine: 'postgres', dsn}, quiet).catch((error: unknown) => error);
      expect(failed).toMatchObject({code: 'STORE_DSN'});
      expect(JSON.stringify(failed) + String(failed)).not.toMatch(/se ?cret/);
    },
  );

  it('a database that is not asked to keep what it confirms', async () => {
    const dsn = await postgres.newDatabase();
    await ask(dsn, `alter database "${new URL(dsn).pathname.slice(1)}" set synchronous_commit = off`);
    await expect(openStore({engine: 'postgres', dsn}, quiet)).rejects.toMatchObject({
      code: 'STORE_NOT_DURABLE',
      message: expect.stringContaining('synchronous_commit'),
    });
  });

  it('a database of another program, which stays as it is', async () => {
    const dsn = await postgres.newDatabase();
    await ask(dsn, 'create table orders (id integer)');
    await expect(openStore({engine: 'postgres', dsn}, quiet)).rejects.toMatchObject({code: 'STORE_FOREIGN'});
    const tables = await ask(dsn, "select table_name from information_schema.tables where table_schema = 'public'");
    expect(tables).toEqual([{table_name: 'orders'}]);
  });

  it('a database of a newer program', async () => {
    const dsn = await postgres.newDatabase();
    await (await openStore({engine: 'postgres', dsn}, quiet)).close();
    await ask(dsn, "insert into store_migrations values (99, 'later', 0)");
    await expect(openStore({engine: 'postgres', dsn}, quiet)).rejects.toMatchObject({code: 'STORE_NEWER'});
  });
});

describe('several nodes', () => {
  it('that start together on an empty database migrate it once', async () => {
    const dsn = await postgres.newDatabase();
    await Promise.all(Array.from({length: 4}, () => open({engine: 'postgres', dsn})));
    const noted = await ask(dsn, 'select version from store_migrations order by version');
    expect(noted).toEqual(migrations.map(({version}) => ({version: String(version)})));
  });
});

describe('numbers', () => {
  it('that cannot be kept exactly are an error, not another number', async () => {
    const dsn = await postgres.newDatabase();
    const store = await open({engine: 'postgres', dsn});
    await store.run(op.create, {orderNo: 'A', at: Number.MAX_SAFE_INTEGER});
    expect((await store.readFirst(op.orderByNo, {orderNo: 'A'}))?.created_at).toBe(Number.MAX_SAFE_INTEGER);
    await ask(dsn, 'update orders set created_at = created_at + 1');
    await expect(store.readFirst(op.orderByNo, {orderNo: 'A'})).rejects.toThrow(RangeError);
    expect(store.ready).toBe(true);
  });
});

interface Proxy {
  port: number;
  /** From now on the answer to the next statement with this word is swallowed, and the connection cut. */
  swallow(): void;
  readonly swallowed: number;
}

/** Sits between store and server. */
async function startProxy(target: number, word: string): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let armed = false;
  let swallowed = 0;
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    let cutting = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.on('data', (bytes) => {
      if (armed && bytes.includes(word)) {
        armed = false;
        cutting = true;
        swallowed += 1;
      }
      far.write(bytes);
    });
    far.on('data', (bytes) => {
      if (cutting) near.destroy();
      else near.write(bytes);
    });
    far.on('close', () => near.destroy());
    near.on('close', () => far.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  return {
    port: address.port,
    swallow: () => {
      armed = true;
    },
    get swallowed() {
      return swallowed;
    },
  };
}
