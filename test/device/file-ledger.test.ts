import {execFileSync, spawn, spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {appendFile, mkdir, readFile, rename, rm, stat, truncate, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import fc from 'fast-check';
import {describe, expect, it, onTestFinished} from 'vitest';
import {fileLedger, LEDGER_ENTRIES, type LedgerEntry} from '../../src/lib/device/index.js';
import {CoinState} from '../../src/lib/registry/index.js';
import {tempFolder} from './folder.js';

const entry = (orderId: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  orderId,
  coins: 3,
  state: CoinState.COIN_DONE,
  progress: 100,
  error: '',
  ...more,
});

async function newPath(): Promise<string> {
  return join(await tempFolder(), 'ledger');
}

const linesOf = async (path: string): Promise<string[]> => (await readFile(path, 'utf8')).split('\n').slice(0, -1);

describe('the file ledger', () => {
  it('remembers across a restart, in files that only their owner can read', async () => {
    const path = join(await tempFolder(), 'deep', 'er', 'ledger');
    const first = await fileLedger(path);
    await first.put(entry('a', {state: CoinState.COIN_RUNNING, progress: 10}));
    await first.put(entry('b', {error: 'Münzstau "\n" \u2028 💥'}));
    await first.put(entry('a'));
    const before = [...first.entries()];
    await first.close();
    await first.close();
    const second = await fileLedger(path);
    expect([...second.entries()]).toEqual(before);
    expect(second.get('a')).toMatchObject({state: CoinState.COIN_DONE, progress: 100});
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await second.close();
  });

  it('tells what is stored, not what is being stored', async () => {
    const ledger = await fileLedger(await newPath());
    const stored = ledger.put(entry('a'));
    expect(ledger.get('a')).toBeUndefined();
    await stored;
    expect(ledger.get('a')).toMatchObject({orderId: 'a'});
    await ledger.close();
  });

  it('lets changes that wait together share a sync', async ({skip}) => {
    if (spawnSync('strace', ['-V']).status !== 0) skip('strace counts the syncs');
    const path = await newPath();
    const script = join(import.meta.dirname, 'ledger-syncs.ts');
    const trace = join(path, '..', 'trace');
    execFileSync('strace', [
      '-f',
      '-e',
      'trace=fdatasync',
      '-o',
      trace,
      process.execPath,
      '--import',
      'tsx',
      script,
      path,
    ]);
    const syncs = (await readFile(trace, 'utf8')).split('\n').filter((line) => line.includes('fdatasync(')).length;
    expect(await linesOf(path)).toHaveLength(1000);
    expect(syncs).toBeGreaterThan(0);
    expect(syncs).toBeLessThan(10);
  });

  it('refuses after its close', async () => {
    const ledger = await fileLedger(await newPath());
    await ledger.close();
    await expect(ledger.put(entry('a'))).rejects.toMatchObject({code: 'LEDGER_FAILED'});
  });
});

describe('a ledger after a crash', () => {
  it('drops a half-written last line, wherever it was cut, and goes on after it', async () => {
    const path = await newPath();
    const whole = [entry('a'), entry('b', {error: 'Müll'})].map((one) => `${JSON.stringify(one)}\n`);
    const all = Buffer.from(whole.join(''));
    const kept = Buffer.byteLength(whole[0] ?? '');
    for (let cut = kept; cut < all.length; cut++) {
      await writeFile(path, all.subarray(0, cut));
      const ledger = await fileLedger(path);
      expect([...ledger.entries()].map(({orderId}) => orderId)).toEqual(['a']);
      await ledger.put(entry('c'));
      await ledger.close();
      expect((await linesOf(path)).map((line) => JSON.parse(line).orderId)).toEqual(['a', 'c']);
    }
  });

  it.each([
    ['garbage', 'garbage'],
    ['nothing', ''],
    ['null', 'null'],
    ['a cut line', '{"orderId":"b","coins":3'],
    ['another object', '{"coins":3}'],
    ['a state that there is not', JSON.stringify(entry('b', {state: 7 as CoinState}))],
    ['progress that is none', JSON.stringify(entry('b', {progress: Number.NaN}))],
    ['broken UTF-8', Buffer.from(JSON.stringify(entry('b\u{ff}')), 'latin1')],
    ['zeros', Buffer.alloc(512)],
  ])('is refused with %s in its middle, and left as it is', async (_, line) => {
    const path = await newPath();
    const damaged = Buffer.concat([
      Buffer.from(`${JSON.stringify(entry('a'))}\n`),
      Buffer.from(line),
      Buffer.from(`\n${JSON.stringify(entry('c'))}\n{"half`),
    ]);
    await writeFile(path, damaged);
    await expect(fileLedger(path)).rejects.toMatchObject({
      code: 'LEDGER_UNREADABLE',
      message: expect.stringContaining('line 2'),
    });
    expect(await readFile(path)).toEqual(damaged);
  });

  it('never takes a cut or changed file for anything but a part of itself', async () => {
    const path = await newPath();
    const lines = Array.from({length: 20}, (_, n) => `${JSON.stringify(entry(`o-${n}`))}\n`);
    const all = Buffer.from(lines.join(''));
    await fc.assert(
      fc.asyncProperty(fc.nat(all.length), async (cut) => {
        await writeFile(path, all.subarray(0, cut));
        const ledger = await fileLedger(path);
        const found = [...ledger.entries()].map(({orderId}) => orderId);
        await ledger.close();
        expect(found).toEqual(Array.from({length: found.length}, (_, n) => `o-${n}`));
        expect(found).toHaveLength(all.subarray(0, cut).toString().split('\n').length - 1);
      }),
      {numRuns: 50},
    );
  });

  it('says that a path cannot be read or written', async () => {
    const folder = await tempFolder();
    await expect(fileLedger(folder)).rejects.toMatchObject({code: 'LEDGER_UNREADABLE'});
    await expect(fileLedger('/dev/zero')).rejects.toMatchObject({code: 'LEDGER_UNREADABLE'});
    await writeFile(join(folder, 'file'), '');
    await expect(fileLedger(join(folder, 'file', 'ledger'))).rejects.toMatchObject({
      code: expect.stringMatching(/^LEDGER_/),
      hint: expect.any(String),
    });
  });

  it('loses nothing that was acknowledged, killed at any point', async () => {
    const path = await newPath();
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < 12; round++) {
      const child = spawn(
        process.execPath,
        ['--import', 'tsx', join(import.meta.dirname, 'ledger-child.ts'), path, `r${round}`],
        {stdio: ['ignore', 'pipe', 'inherit']},
      );
      const until = 1 + ((round * 37) % 120);
      let seen = 0;
      for await (const line of createInterface({input: child.stdout})) {
        const [orderId = '', state] = line.split(' ');
        // The kill may cut the last line it printed.
        if (state === '0' || state === '2') acknowledged.set(orderId, Number(state));
        if (++seen === until) child.kill('SIGKILL');
      }
      expect(child.signalCode ?? (await once(child, 'exit'))[1]).toBe('SIGKILL');
      const ledger = await fileLedger(path);
      for (const [orderId, state] of acknowledged) {
        expect(ledger.get(orderId)?.state ?? -1, `${orderId} in round ${round}`).toBeGreaterThanOrEqual(state);
      }
      await ledger.close();
    }
    expect(acknowledged.size).toBeGreaterThan(100);
  }, 120_000);
});

describe('the size of a ledger', () => {
  it('is bounded while it runs: the file is written anew and says the same', async () => {
    const path = await newPath();
    const ledger = await fileLedger(path);
    for (let round = 0; round < 30; round++) {
      await Promise.all(Array.from({length: 100}, (_, n) => ledger.put(entry(`o-${n}`, {progress: round}))));
    }
    expect((await linesOf(path)).length).toBeLessThanOrEqual(1100);
    const before = [...ledger.entries()];
    await ledger.put(entry('last'));
    await ledger.close();
    const again = await fileLedger(path);
    expect([...again.entries()]).toEqual([...before, entry('last')]);
    await again.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('is bounded at the start: a long file is written anew', async () => {
    const path = await newPath();
    const lines = Array.from(
      {length: 5000},
      (_, n) => `${JSON.stringify(entry(`o-${n % 10}`, {progress: n % 100}))}\n`,
    );
    await writeFile(path, lines.join(''));
    // What an earlier crash left.
    await writeFile(`${path}.new`, 'half');
    const ledger = await fileLedger(path);
    expect(await linesOf(path)).toHaveLength(10);
    expect([...ledger.entries()]).toHaveLength(10);
    await ledger.close();
  });

  it('holds 10,000 orders and forgets the oldest', async () => {
    const path = await newPath();
    const ledger = await fileLedger(path);
    await Promise.all(Array.from({length: LEDGER_ENTRIES + 5}, (_, n) => ledger.put(entry(`o-${n}`))));
    await ledger.close();
    const again = await fileLedger(path);
    expect([...again.entries()]).toHaveLength(LEDGER_ENTRIES);
    expect(again.get('o-4')).toBeUndefined();
    expect(again.get('o-5')).toBeDefined();
    await again.close();
  });
});

describe('a ledger that cannot be written', () => {
  async function refusesAll(ledger: Awaited<ReturnType<typeof fileLedger>>, orderId: string): Promise<void> {
    await expect(ledger.put(entry(orderId))).rejects.toMatchObject({code: 'LEDGER_FAILED', hint: expect.any(String)});
    expect(ledger.get(orderId)).toBeUndefined();
  }

  it('is one on a full disk', async ({skip}) => {
    const folder = await tempFolder();
    if (!mountSmall(folder)) skip('only root may mount a small disk');
    const path = join(folder, 'ledger');
    const ledger = await fileLedger(path);
    await ledger.put(entry('first'));
    const results = await Promise.allSettled(
      Array.from({length: 200}, (_, n) => ledger.put(entry(`o-${n}`, {error: 'x'.repeat(4000)}))),
    );
    expect(results.filter(({status}) => status === 'rejected').length).toBeGreaterThan(0);
    await refusesAll(ledger, 'later');
    expect(ledger.get('first')).toBeDefined();
    await ledger.close();
    // After a restart with room on the disk it works again, and holds what was acknowledged.
    await truncate(path, (await readFile(path)).indexOf('\n') + 1);
    const again = await fileLedger(path);
    expect([...again.entries()].map(({orderId}) => orderId)).toEqual(['first']);
    await again.put(entry('second'));
    await again.close();
  });

  it('is one that another process writes to', async () => {
    const path = await newPath();
    const [one, other] = [await fileLedger(path), await fileLedger(path)];
    await one.put(entry('a'));
    await refusesAll(other, 'a');
    await one.put(entry('b'));
    await Promise.all([one.close(), other.close()]);
    expect(await linesOf(path)).toHaveLength(2);
  });

  it.each([
    ['removed', (path: string) => rm(path)],
    ['replaced', (path: string) => rename(path, `${path}.old`).then(() => rm(`${path}.old`))],
    ['cut', (path: string) => truncate(path, 3)],
    ['written to', (path: string) => appendFile(path, '\n')],
  ])('is one whose file was %s', async (_, change) => {
    const path = await newPath();
    const ledger = await fileLedger(path);
    await ledger.put(entry('a'));
    await change(path);
    await refusesAll(ledger, 'b');
    await ledger.close();
  });

  it('fails when it cannot be written anew', async () => {
    const path = await newPath();
    const ledger = await fileLedger(path);
    // A folder in the place of the new file.
    await mkdir(`${path}.new`);
    const results = await Promise.allSettled(Array.from({length: 1200}, () => ledger.put(entry('a'))));
    expect(results.filter(({status}) => status === 'rejected')).toEqual([]);
    await refusesAll(ledger, 'b');
    await ledger.close();
    expect(await linesOf(path)).toHaveLength(1200);
  });
});

/** A file system of 128 KiB; false where nobody may mount one. */
function mountSmall(folder: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', folder], {stdio: 'ignore'});
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', [folder]));
  return true;
}
