import {existsSync, statSync} from 'node:fs';
import {join} from 'node:path';
import Database from 'better-sqlite3';
import {describe, expect, it, onTestFinished} from 'vitest';
import {createApiKeys} from '../../src/lib/api/index.js';
import {takeLock} from '../../src/lib/store/sqlite/lock.js';
import {integrityOf, openBoth, startGuest} from './alongside.js';
import * as op from './operations.js';
import {openFile, tempFolder} from './support.js';

const MASTER_KEY = Buffer.alloc(32, 7);
const isKey = (line: string): boolean => line.startsWith('pnk_');

/** Writes orders without a pause, 20 at a time, until told to stop; says how many are stored, or what went wrong. */
function keepWriting(store: Awaited<ReturnType<typeof openBoth>>): () => Promise<number> {
  let going = true;
  let stored = 0;
  const writers = Array.from({length: 20}, async (_, writer) => {
    for (let order = 0; going; order += 1) {
      await store.run(op.create, {orderNo: `${writer}-${order}`});
      stored += 1;
    }
  });
  return async () => {
    going = false;
    await Promise.all(writers);
    return stored;
  };
}

describe('beside a process that serves', () => {
  it('a second one writes 200 keys; the first sees each at once and never waits in vain', {
    timeout: 90_000,
  }, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openBoth(path);
    const keys = createApiKeys({store, masterKey: MASTER_KEY});
    const stop = keepWriting(store);
    const guest = startGuest(path, 200);
    const unseen: string[] = [];
    const others: string[] = [];
    for await (const line of guest.lines) {
      if (!isKey(line)) others.push(line);
      else if ((await keys.find(line)) === undefined) unseen.push(line);
    }
    expect(await guest.ended).toBe(0);
    const stored = await stop();
    expect({unseen, others}).toEqual({unseen: [], others: ['ok']});
    expect(await keys.list()).toHaveLength(200);
    expect(await store.read(op.countOrders)).toEqual([{count: stored}]);
    // The guest had to find its moments between many commits.
    expect(store.figures.transactions).toBeGreaterThan(200);
    await store.close();
    // Nobody is left: all of it is in the file.
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(integrityOf(path)).toBe('ok');
  });

  it('a second one that is killed harms nothing', {timeout: 90_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openBoth(path);
    const stop = keepWriting(store);
    const told: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const guest = startGuest(path);
      for (let line = 0; line < 5; line += 1) told.push((await guest.lines.next()).value);
      await guest.kill();
      for await (const line of guest.lines) told.push(line);
    }
    await stop();
    await store.run(op.create, {orderNo: 'after'});
    const keys = createApiKeys({store, masterKey: MASTER_KEY});
    for (const key of told) expect((await keys.find(key))?.scope).toBe('read');
    expect(told.length).toBeGreaterThanOrEqual(15);
    await store.close();
    expect(integrityOf(path)).toBe('ok');
  });

  it('a second one stays while the first ends and another begins', {timeout: 90_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    let store = await openBoth(path);
    const guest = startGuest(path);
    const told: string[] = [];
    for (let round = 0; round < 5; round += 1) {
      for (let line = 0; line < 5; line += 1) told.push((await guest.lines.next()).value);
      await store.run(op.create, {orderNo: `A${round}`});
      await store.close();
      told.push((await guest.lines.next()).value);
      store = await openBoth(path);
    }
    await guest.kill();
    const keys = createApiKeys({store, masterKey: MASTER_KEY});
    for (const key of told) expect(await keys.find(key)).toBeDefined();
    expect(await store.read(op.countOrders)).toEqual([{count: 5}]);
    await store.close();
    expect(integrityOf(path)).toBe('ok');
  });

  it('a guest waits longer than a server does', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openBoth(path);
    const guest = await openBoth(path, true);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    const writing = guest.run(op.create, {orderNo: 'G'});
    await expect(store.run(op.create, {orderNo: 'S'})).rejects.toMatchObject({code: 'STORE_BUSY'});
    other.exec('ROLLBACK');
    other.close();
    expect(await writing).toBe('G');
    expect(await store.readFirst(op.orderByNo, {orderNo: 'G'})).toBeDefined();
  });

  it('a guest writes little at a time', async () => {
    const path = join(tempFolder(), 'paynet.db');
    await openBoth(path);
    const guest = await openBoth(path, true);
    await Promise.all(Array.from({length: 60}, (_, index) => guest.run(op.create, {orderNo: `G${index}`})));
    expect(guest.figures).toEqual({operations: 60, transactions: 3});
  });

  it('a guest stops as soon as another schema is there', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openBoth(path);
    const guest = await openBoth(path, true);
    await guest.run(op.create, {orderNo: 'A'});
    const other = new Database(path);
    other.exec("insert into store_migrations values (99, 'later', 0)");
    other.close();
    await expect(guest.run(op.create, {orderNo: 'B'})).rejects.toMatchObject({code: 'STORE_NEWER'});
    // It holds nothing up then.
    await store.run(op.create, {orderNo: 'C'});
    expect(await store.read(op.countOrders)).toEqual([{count: 2}]);
  });
});

describe('a database that another process holds', () => {
  /** A database as another version has left it, held. */
  async function heldWith(change: (db: Database.Database) => void): Promise<string> {
    const path = join(tempFolder(), 'paynet.db');
    await (await openFile(path)).close();
    const db = new Database(path);
    change(db);
    db.close();
    onTestFinished(takeLock(path));
    return path;
  }

  it('is left as it is when its schema is older', async () => {
    const path = await heldWith((db) => db.exec('delete from store_migrations'));
    await expect(openBoth(path, true)).rejects.toMatchObject({
      code: 'STORE_OLDER',
      message: expect.stringContaining('has schema 0'),
    });
    const db = new Database(path);
    expect(db.prepare('select count(*) from store_migrations').pluck().get()).toBe(0);
    db.close();
  });

  it('is left as it is when its schema is newer, or when it is none of ours', async () => {
    const newer = await heldWith((db) => db.exec("insert into store_migrations values (99, 'later', 0)"));
    await expect(openBoth(newer, true)).rejects.toMatchObject({code: 'STORE_NEWER'});
    const foreign = await heldWith((db) => db.pragma('application_id = 1'));
    await expect(openBoth(foreign, true)).rejects.toMatchObject({code: 'STORE_FOREIGN'});
  });

  it('is not made by a guest', async () => {
    const path = join(tempFolder(), 'paynet.db');
    onTestFinished(takeLock(path));
    await expect(openBoth(path, true)).rejects.toMatchObject({code: 'STORE_OLDER'});
    expect(existsSync(path)).toBe(false);
  });
});

describe('a database that nobody holds', () => {
  it('is made, locked and served as always', async () => {
    const path = join(tempFolder(), 'new', 'paynet.db');
    const store = await openBoth(path, true);
    await store.run(op.create, {orderNo: 'A'});
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(openBoth(path)).rejects.toMatchObject({code: 'STORE_LOCKED'});
    await store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
    expect(await (await openBoth(path)).read(op.countOrders)).toEqual([{count: 1}]);
  });

  it('is made once by several that come at the same moment', {timeout: 60_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const guests = Array.from({length: 3}, () => startGuest(path, 5));
    expect(await Promise.all(guests.map(({ended}) => ended))).toEqual([0, 0, 0]);
    const store = await openBoth(path);
    expect(await createApiKeys({store, masterKey: MASTER_KEY}).list()).toHaveLength(15);
  });
});
