import {existsSync, readFileSync, statSync} from 'node:fs';
import {join} from 'node:path';
import Database from 'better-sqlite3';
import {describe, expect, it} from 'vitest';
import {openWriter, requireSafeSqlite, sqliteVersion} from '../../src/lib/store/sqlite/connection.js';
import * as op from './operations.js';
import {keepingLog, openFile, tempFolder} from './support.js';

const FRAME_HEADER = 24;
const LOG_HEADER = 32;

/** The commits that a write-ahead log holds: frames that say how large the database is after them. */
function commitsIn(log: Buffer): number {
  const page = log.readUInt32BE(8);
  let commits = 0;
  for (let at = LOG_HEADER; at + FRAME_HEADER <= log.length; at += FRAME_HEADER + page) {
    // Frames of an earlier round of the log have another salt.
    if (log.compare(log, 16, 24, at + 8, at + 16) === 0 && log.readUInt32BE(at + 4) > 0) commits += 1;
  }
  return commits;
}

describe('group commit', () => {
  it('commits all that wait together in one transaction, at most 500', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openFile(path);
    const before = commitsIn(readFileSync(`${path}-wal`));
    await Promise.all(Array.from({length: 1000}, (_, index) => store.run(op.create, {orderNo: `N${index}`})));
    expect(commitsIn(readFileSync(`${path}-wal`)) - before).toBe(2);
    expect(store.figures).toEqual({operations: 1000, transactions: 2});
  });

  it('commits one by one what comes one by one', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openFile(path);
    const before = commitsIn(readFileSync(`${path}-wal`));
    for (let index = 0; index < 10; index += 1) await store.run(op.create, {orderNo: `N${index}`});
    expect(commitsIn(readFileSync(`${path}-wal`)) - before).toBe(10);
  });

  it('runs operations in the order in which they were asked for, and each sees those before it', async () => {
    const store = await openFile();
    const created = store.run(op.create, {orderNo: 'A'});
    const counts = Array.from({length: 700}, () => store.run(op.count, 'A'));
    await created;
    expect(await Promise.all(counts)).toEqual(Array.from({length: 700}, (_, index) => index + 1));
  });

  it('keeps the log small while it writes', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openFile(path);
    const payload = 'x'.repeat(2000);
    for (let round = 0; round < 40; round += 1) {
      await Promise.all(
        Array.from({length: 250}, (_, index) => store.run(op.createCommand, {id: `${round}-${index}`, payload})),
      );
    }
    const log = statSync(`${path}-wal`).size;
    expect(statSync(path).size).toBeGreaterThan(20_000_000);
    expect(log).toBeLessThan(15_000_000);
  });
});

describe('what an operation does wrong', () => {
  it('fails alone when its arguments or its result are no plain data', async () => {
    const store = await openFile();
    const outcomes = await Promise.allSettled([
      store.run(op.create, {orderNo: 'A'}),
      store.run(op.create, {orderNo: (() => 'B') as unknown as string}),
      store.run(op.odd, 'C'),
      store.run(op.create, {orderNo: 'D'}),
    ]);
    expect(outcomes.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(outcomes[2]).toMatchObject({reason: {code: 'STORE_OPERATIONS'}});
    // The message says that it is stored, and so it is.
    expect(await store.readFirst(op.orderByNo, {orderNo: 'C'})).toBeDefined();
  });

  it('is undone when it waits for something else than its transaction; the others are stored', async () => {
    const store = await openFile();
    const outcomes = await Promise.allSettled([
      store.run(op.create, {orderNo: 'A'}),
      store.run(op.hang, 'B'),
      store.run(op.create, {orderNo: 'C'}),
    ]);
    expect(outcomes.map(({status}) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({reason: {code: 'STORE_TIMEOUT'}});
    expect(await store.readFirst(op.orderByNo, {orderNo: 'B'})).toBeUndefined();
  });

  it('ends the storage when it ends its thread, and that is told', async () => {
    const log = keepingLog();
    const store = await openFile(undefined, log);
    await store.run(op.create, {orderNo: 'A'});
    await expect(store.run(op.exit, undefined)).rejects.toMatchObject({code: 'STORE_UNCERTAIN'});
    expect((await store.broken).code).toBe('STORE_BROKEN');
    expect(store.ready).toBe(false);
    await expect(store.run(op.create, {orderNo: 'B'})).rejects.toMatchObject({code: 'STORE_BROKEN'});
    await expect(store.readFirst(op.orderByNo, {orderNo: 'A'})).rejects.toMatchObject({code: 'STORE_BROKEN'});
    expect(log.lines).toMatchObject([{level: 'error', fields: {code: 'STORE_BROKEN'}}]);
  });
});

describe('connections', () => {
  it('set what durability rests on at every opening', () => {
    const path = join(tempFolder(), 'x.db');
    new Database(path).close();
    for (const round of [1, 2]) {
      const db = openWriter(path);
      const found = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'wal_autocheckpoint'].map((name) =>
        db.pragma(name, {simple: true}),
      );
      db.close();
      expect(found, `opening ${round}`).toEqual(['wal', 2, 1, 250, 0]);
    }
  });

  it('wait a bounded time for another program that writes, then say so, and go on afterwards', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openFile(path);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.run(op.create, {orderNo: 'A'})).rejects.toMatchObject({code: 'STORE_BUSY'});
    expect(await store.read(op.countOrders)).toEqual([{count: 0}]);
    other.exec('ROLLBACK');
    other.close();
    expect(await store.run(op.create, {orderNo: 'A'})).toBe('A');
  });

  it('leave one file that only its owner can read', async () => {
    const folder = tempFolder();
    const path = join(folder, 'new', 'paynet.db');
    const store = await openFile(path);
    await store.run(op.create, {orderNo: 'A'});
    for (const end of ['', '-wal', '-shm', '.lock']) expect(statSync(path + end).mode & 0o777, end).toBe(0o600);
    await store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });
});

describe('the SQLite inside', () => {
  it.each(['3.51.2', '3.52.0', '3.46.1', '2.8.17', 'unknown'])('is refused as %s', (version) => {
    expect(() => requireSafeSqlite(version)).toThrow(expect.objectContaining({code: 'STORE_SQLITE_VERSION'}));
  });

  it.each(['3.51.3', '3.52.1', '3.53.2', '4.0.0'])('is accepted as %s', (version) => {
    requireSafeSqlite(version);
  });

  it('is a good one here', () => {
    requireSafeSqlite(sqliteVersion());
  });
});
