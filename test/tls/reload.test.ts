import {mkdir, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {watchFiles} from '../../src/lib/tls/index.js';
import {settle} from '../../src/lib/tls/reload.js';
import {tempFolder} from './support.js';

/** Watches with a short interval; `next()` waits for the next report. */
function watch(...paths: string[]): {next: () => Promise<string[]>; reports: string[][]} {
  const reports: string[][] = [];
  let waiting: ((changed: string[]) => void) | undefined;
  const watching = watchFiles(
    paths,
    (changed) => {
      reports.push(changed);
      waiting?.(changed);
    },
    10,
  );
  // The watch keeps no process alive; this test has to be.
  const alive = setInterval(() => undefined, 1000);
  onTestFinished(() => {
    watching.stop();
    clearInterval(alive);
  });
  const next = (): Promise<string[]> =>
    new Promise((resolve) => {
      waiting = resolve;
    });
  return {next, reports};
}

describe('watching files', () => {
  it('sees an atomic rename, even to content of the same size', async () => {
    const folder = await tempFolder();
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await writeFile(a, 'one');
    await writeFile(b, 'two');
    const {next} = watch(a, b);
    const changed = next();
    await writeFile(join(folder, 'new'), 'ONE');
    await rename(join(folder, 'new'), a);
    expect(await changed).toEqual([a]);
  });

  it('sees the symlink of a mounted secret being swapped', async () => {
    const folder = await tempFolder();
    for (const version of ['1', '2']) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'tls.crt'), 'same');
    }
    await symlink('1', join(folder, '..data'));
    await symlink('..data/tls.crt', join(folder, 'tls.crt'));
    const {next} = watch(join(folder, 'tls.crt'));
    const changed = next();
    await symlink('2', join(folder, 'next'));
    await rename(join(folder, 'next'), join(folder, '..data'));
    expect(await changed).toEqual([join(folder, 'tls.crt')]);
  });

  it('reports a file that vanishes, and its return', async () => {
    const path = join(await tempFolder(), 'a');
    await writeFile(path, 'one');
    const {next} = watch(path);
    const gone = next();
    await rm(path);
    expect(await gone).toEqual([path]);
    const back = next();
    await writeFile(path, 'one');
    expect(await back).toEqual([path]);
  });

  it('reports each file by its own name', async () => {
    const folder = await tempFolder();
    const [a, other] = [join(folder, 'a'), join(folder, 'other')];
    await writeFile(a, '');
    await writeFile(other, '');
    const {next} = watch(a, other);
    const first = next();
    await rename(other, a);
    expect(await first).toEqual([a, other]);
  });

  it('says nothing any more once stopped, and stopping twice is fine', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'a');
    await writeFile(path, 'one');
    const reports: string[][] = [];
    const stopped = watchFiles([path], (changed) => reports.push(changed), 1);
    const {next} = watch(path);
    stopped.stop();
    stopped.stop();
    const seen = next();
    await writeFile(path, 'three');
    await seen;
    expect(reports).toEqual([]);
  });
});

describe('settling', () => {
  it('reports a change once, when it has lasted for one look', () => {
    let state = {known: ['a', 'b'], last: ['a', 'b']} as Parameters<typeof settle>[0];
    const looks = ['ab', 'a1', 'a2', 'a2', 'a2', '12', '12', 'a2', '12', '12'];
    const reports = looks.map((look) => {
      const step = settle(state, [...look]);
      state = step.state;
      return step.changed;
    });
    // The last change came and went between two reports.
    expect(reports).toEqual([[], [], [], [1], [], [], [0], [], [], []]);
  });
});
