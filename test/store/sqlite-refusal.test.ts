import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {setTimeout} from 'node:timers/promises';
import {fileURLToPath, pathToFileURL} from 'node:url';
import Database from 'better-sqlite3';
import {describe, expect, it, onTestFinished, vi} from 'vitest';
import * as op from './operations.js';
import {keepingLog, openFile, tempFolder} from './support.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const WRITING = fileURLToPath(new URL('./writing-process.ts', import.meta.url));

/** A process that opens the file and writes orders for ever; it says which are stored. */
function startWriting(path: string): {lines: AsyncIterableIterator<string>; pid: number; kill: () => Promise<unknown>} {
  const child = spawn(process.execPath, ['--import', TSX, WRITING, path], {stdio: ['ignore', 'pipe', 'inherit']});
  const exited = once(child, 'exit');
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return exited;
  };
  onTestFinished(() => kill().then(() => {}));
  return {lines: createInterface({input: child.stdout})[Symbol.asyncIterator](), pid: child.pid ?? 0, kill};
}

/** A database with some orders, closed. */
async function written(folder: string, orders = 200): Promise<string> {
  const path = join(folder, 'paynet.db');
  const store = await openFile(path);
  await Promise.all(Array.from({length: orders}, (_, index) => store.run(op.create, {orderNo: `N${index}`})));
  await store.close();
  return path;
}

/** Every file of a folder with what is in it, but for the lock, which belongs to nobody. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder).filter((name) => !name.endsWith('.lock'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'base64')]));
}

async function expectRefused(path: string, code: string): Promise<void> {
  const folder = join(path, '..');
  const before = contents(folder);
  await expect(openFile(path)).rejects.toMatchObject({name: 'PaynetError', code, hint: expect.any(String)});
  const after = contents(folder);
  expect(Object.keys(after)).toEqual(Object.keys(before));
  expect(after).toEqual(before);
}

describe('a second process', () => {
  it('is refused with the number of the first, and let in when that was killed', {timeout: 60_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const first = startWriting(path);
    await first.lines.next();
    await expect(openFile(path)).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining(`another process (${first.pid})`),
    });
    // The first one is not harmed by that.
    await first.lines.next();
    await first.kill();
    expect((await openFile(path)).ready).toBe(true);
  });

  it('is refused by another name of the same file, too, and also within one process', async () => {
    const folder = tempFolder();
    const path = join(folder, 'paynet.db');
    const store = await openFile(path);
    symlinkSync(path, join(folder, 'other.db'));
    await expect(openFile(join(folder, 'other.db'))).rejects.toMatchObject({
      code: 'STORE_LOCKED',
      message: expect.stringContaining('this process already'),
    });
    await expect(openFile(path)).rejects.toMatchObject({code: 'STORE_LOCKED'});
    await store.close();
    expect((await openFile(path)).ready).toBe(true);
  });
});

describe('kill -9', () => {
  it('loses nothing that was acknowledged, in ten rounds', {timeout: 120_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const acknowledged = new Set<string>();
    for (let round = 0; round < 10; round += 1) {
      const writing = startWriting(path);
      const enough = 1 + Math.floor(Math.random() * 2000);
      for (let lines = 0; lines < enough; lines += 1) acknowledged.add((await writing.lines.next()).value);
      await writing.kill();
      for await (const line of writing.lines) if (/^[\w-]{20}$/.test(line)) acknowledged.add(line);
    }
    const store = await openFile(path);
    const stored = new Set((await store.read(op.ordersOfDevice, {deviceId: 'D1'})).map((row) => row.order_no));
    expect(acknowledged.size).toBeGreaterThan(10);
    expect([...acknowledged].filter((orderNo) => !stored.has(orderNo))).toEqual([]);
  });
});

describe('kill -9 at the start', () => {
  it('leaves a database that can be opened, wherever it hits', {timeout: 120_000}, async () => {
    const folder = tempFolder();
    // The lock comes first, then the file, then the log with the schema.
    const moments: [string, number][] = [
      ['.lock', 0],
      ['.lock', 3],
      ['.lock', 20],
      ['', 0],
      ['-wal', 0],
      ['-wal', 2],
    ];
    for (const [round, [end, milliseconds]] of moments.entries()) {
      const path = join(folder, `${round}.db`);
      const starting = startWriting(path);
      await vi.waitFor(() => expect(existsSync(path + end)).toBe(true), {timeout: 20_000, interval: 1});
      await setTimeout(milliseconds);
      await starting.kill();
      const store = await openFile(path);
      await store.run(op.create, {orderNo: 'A'});
      await store.close();
    }
  });
});

describe('refused unchanged', () => {
  it('a file of another program', async () => {
    const folder = tempFolder();
    const path = join(folder, 'other.db');
    const db = new Database(path);
    db.exec('create table orders (id integer)');
    db.close();
    await expectRefused(path, 'STORE_FOREIGN');
    const text = join(tempFolder(), 'notes.txt');
    writeFileSync(text, 'not a database');
    await expectRefused(text, 'STORE_FOREIGN');
  });

  it('a file of a newer program', async () => {
    const path = await written(tempFolder());
    const db = new Database(path);
    db.exec("insert into store_migrations values (99, 'later', 0)");
    db.close();
    await expectRefused(path, 'STORE_NEWER');
  });

  it.each([
    ['overwritten in the middle', (bytes: Buffer) => bytes.fill(0xff, 40_960, 45_056)],
    ['with a broken first page', (bytes: Buffer) => bytes.fill(0x41, 110, 2000)],
    ['cut off', (bytes: Buffer) => bytes.subarray(0, bytes.length - 20_480)],
  ])('a file %s', async (_, damage) => {
    const path = await written(tempFolder(), 500);
    writeFileSync(path, damage(readFileSync(path)));
    await expectRefused(path, 'STORE_DAMAGED');
  });

  it('a log without its file', async () => {
    const folder = tempFolder();
    const path = join(folder, 'paynet.db');
    const store = await openFile(path);
    await store.run(op.create, {orderNo: 'A'});
    copyFileSync(`${path}-wal`, join(folder, 'copy.db-wal'));
    await store.close();
    await expectRefused(join(folder, 'copy.db'), 'STORE_DAMAGED');
  });

  it('a path that is none', async () => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'folder.db'));
    writeFileSync(join(folder, 'file'), '');
    await expect(openFile(join(folder, 'folder.db'))).rejects.toMatchObject({code: 'STORE_PATH'});
    await expect(openFile(join(folder, 'file', 'paynet.db'))).rejects.toMatchObject({code: 'STORE_PATH'});
    await expect(openFile('/proc/paynet.db')).rejects.toMatchObject({code: 'STORE_PATH'});
  });
});

describe('taken over', () => {
  it('a log that a killed process has left, also when the file itself was not written since', async () => {
    const folder = tempFolder();
    const path = join(folder, 'paynet.db');
    const store = await openFile(path);
    await store.run(op.create, {orderNo: 'A'});
    for (const end of ['', '-wal']) copyFileSync(path + end, join(folder, `copy.db${end}`));
    const copy = await openFile(join(folder, 'copy.db'));
    expect(await copy.readFirst(op.orderByNo, {orderNo: 'A'})).toBeDefined();
  });

  it('what a start that was cut off has left', async () => {
    const path = join(tempFolder(), 'paynet.db');
    writeFileSync(`${path}.new`, 'half a file');
    writeFileSync(path, '');
    expect((await openFile(path)).ready).toBe(true);
    expect(existsSync(`${path}.new`)).toBe(false);
  });

  it('a file that others can read: from then on they cannot, and that is told', async () => {
    const path = await written(tempFolder());
    chmodSync(path, 0o644);
    const log = keepingLog();
    await openFile(path, log);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(log.lines).toMatchObject([{level: 'warn'}]);
  });
});
