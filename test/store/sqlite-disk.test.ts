import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir, userInfo} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {describe, expect, it, onTestFinished} from 'vitest';
import * as op from './operations.js';
import {openFile, tempFolder} from './support.js';

const isRoot = userInfo().uid === 0;

/** A disk of this size, in memory, that goes with the test. */
function smallDisk(kib: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', [folder]);
    rmSync(folder, {recursive: true, force: true});
  });
  return folder;
}

describe.skipIf(!isRoot)('a full disk (needs root, to mount a small one)', () => {
  it('stores nothing that it has not answered; reads go on, and writes, too, when there is space again', async () => {
    const disk = smallDisk(2048);
    const path = join(disk, 'paynet.db');
    const ballast = join(disk, 'ballast');
    writeFileSync(ballast, Buffer.alloc(1024 * 1024));
    const store = await openFile(path);
    const payload = 'x'.repeat(3000);
    const stored = new Set<string>();
    const write = (id: string): Promise<unknown> =>
      store.run(op.createCommand, {id, payload}).then(
        () => stored.add(id),
        (error: unknown) => error,
      );
    // Groups, until one does not fit any more; then one at a time, until not even that does.
    let outcomes: unknown[] = [];
    for (let round = 0; !outcomes.some((one) => one instanceof Error); round += 1) {
      outcomes = await Promise.all(Array.from({length: 20}, (_, index) => write(`${round}-${index}`)));
    }
    for (const one of outcomes) expect(one).toMatchObject({code: 'STORE_FULL', hint: expect.any(String)});
    for (let id = 0; !((await write(`${id}`)) instanceof Error); id += 1);
    expect(stored.size).toBeGreaterThan(20);
    expect(store.ready).toBe(true);
    for (let again = 0; again < 3; again += 1) {
      await expect(store.run(op.createCommand, {id: 'again', payload})).rejects.toMatchObject({code: 'STORE_FULL'});
      expect(new Set((await store.read(op.commandIds)).map(({id}) => id))).toEqual(stored);
    }
    rmSync(ballast);
    await store.run(op.createCommand, {id: 'later', payload});
    await store.close();
    const second = await openFile(path);
    expect(new Set((await second.read(op.commandIds)).map(({id}) => id))).toEqual(new Set([...stored, 'later']));
  });

  it('is said when the store is opened, which changes nothing', async () => {
    const disk = smallDisk(1024);
    const path = join(disk, 'paynet.db');
    const first = await openFile(path);
    await first.run(op.create, {orderNo: 'A'});
    await first.close();
    expect(() => writeFileSync(join(disk, 'ballast'), Buffer.alloc(1024 * 1024))).toThrow('ENOSPC');
    await expect(openFile(path)).rejects.toMatchObject({code: 'STORE_FULL'});
    rmSync(join(disk, 'ballast'));
    const second = await openFile(path);
    expect(await second.readFirst(op.orderByNo, {orderNo: 'A'})).toBeDefined();
  });
});

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const FAILING = fileURLToPath(new URL('./failing-process.ts', import.meta.url));
const hasStrace = (() => {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], {stdio: 'ignore'});
    return true;
  } catch {
    return false;
  }
})();

describe.skipIf(!hasStrace)('a failing disk (needs strace)', () => {
  it('ends the storage at the first sync that fails, and no sync is tried again', {timeout: 60_000}, async () => {
    const path = join(tempFolder(), 'paynet.db');
    const child = spawn(process.execPath, ['--import', TSX, FAILING, path], {stdio: ['pipe', 'pipe', 'inherit']});
    const lines = createInterface({input: child.stdout})[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('stored A');
    const trace = join(tempFolder(), 'trace');
    const injected = ['-f', '-y', '-o', trace, '-e', 'trace=fsync,fdatasync', '-e', 'inject=fsync,fdatasync:error=EIO'];
    const strace = spawn('strace', [...injected, '-p', String(child.pid)], {stdio: ['ignore', 'ignore', 'pipe']});
    // It says so when it is attached.
    await once(strace.stderr, 'data');
    child.stdin.end('go on\n');
    const said: string[] = [];
    for await (const line of lines) said.push(line);
    expect(said).toEqual([
      'B: STORE_UNCERTAIN',
      'broken: STORE_BROKEN',
      'C: STORE_BROKEN',
      'read: STORE_BROKEN',
      'ready: false',
    ]);
    await once(strace, 'exit');

    const syncs = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('-wal') && line.includes('INJECTED'));
    expect(syncs).toHaveLength(1);
  });
});
