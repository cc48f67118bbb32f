import {chmod, link, mkdir, readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {
  makeFolder,
  readPrivateFile,
  readTextFile,
  writeFileAtomic,
  writeFilesTogether,
} from '../../src/lib/tls/index.js';
import {tempFolder} from './support.js';

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

describe('writing', () => {
  it('creates a file with its mode, whatever the umask, and leaves nothing beside it', async () => {
    const folder = await tempFolder();
    const before = process.umask(0o077);
    try {
      await writeFileAtomic(join(folder, 'a.crt'), 'public', {mode: 0o644, overwrite: false});
      process.umask(0);
      await writeFileAtomic(join(folder, 'a.key'), 'secret', {mode: 0o600, overwrite: false});
    } finally {
      process.umask(before);
    }
    expect(await modeOf(join(folder, 'a.crt'))).toBe(0o644);
    expect(await modeOf(join(folder, 'a.key'))).toBe(0o600);
    expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
  });

  it('leaves an existing file alone, and replaces it when told, with the new mode', async () => {
    const folder = await tempFolder();
    const path = join(folder, 'a.key');
    await writeFile(path, 'old', {mode: 0o644});
    await expect(writeFileAtomic(path, 'new', {mode: 0o600, overwrite: false})).rejects.toMatchObject({
      code: 'FILE_EXISTS',
      message: `${path} exists already; nothing was written.`,
      hint: expect.stringContaining('--force'),
    });
    expect(await readFile(path, 'utf8')).toBe('old');
    await writeFileAtomic(path, 'new', {mode: 0o600, overwrite: true});
    expect(await readFile(path, 'utf8')).toBe('new');
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(folder)).toEqual(['a.key']);
  });

  it('does not write through a link that is in the way', async () => {
    const folder = await tempFolder();
    const target = join(folder, 'target');
    await writeFile(target, 'precious');
    await symlink(target, join(folder, 'a.key'));
    await expect(writeFileAtomic(join(folder, 'a.key'), 'new', {mode: 0o600, overwrite: false})).rejects.toMatchObject({
      code: 'FILE_EXISTS',
    });
    await writeFileAtomic(join(folder, 'a.key'), 'new', {mode: 0o600, overwrite: true});
    expect(await readFile(target, 'utf8')).toBe('precious');
  });

  it('lets exactly one of many writers win', async () => {
    const path = join(await tempFolder(), 'a');
    const all = Array.from({length: 20}, (_, i) => writeFileAtomic(path, `${i}`, {mode: 0o600, overwrite: false}));
    const results = await Promise.allSettled(all);
    const winners = results.flatMap((result, i) => (result.status === 'fulfilled' ? [`${i}`] : []));
    expect(winners).toEqual([await readFile(path, 'utf8')]);
  });

  it('writes a pair or nothing: a new pair is taken back when its second file is in the way', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a.crt'), 'old');
    const pair = [
      {path: join(folder, 'a.key'), data: 'new', mode: 0o600},
      {path: join(folder, 'a.crt'), data: 'new', mode: 0o644},
    ];
    await expect(writeFilesTogether(pair, false)).rejects.toMatchObject({
      message: expect.stringContaining(join(folder, 'a.crt')),
    });
    expect(await readdir(folder)).toEqual(['a.crt']);
  });

  it('puts the old pair back when replacing fails half-way', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'a.key'), 'old');
    await mkdir(join(folder, 'a.crt'));
    const pair = [
      {path: join(folder, 'a.key'), data: 'new', mode: 0o600},
      {path: join(folder, 'a.crt'), data: 'new', mode: 0o644},
    ];
    await expect(writeFilesTogether(pair, true)).rejects.toMatchObject({code: 'FILE_UNWRITABLE'});
    expect(await readFile(join(folder, 'a.key'), 'utf8')).toBe('old');
    expect((await readdir(folder)).sort()).toEqual(['a.crt', 'a.key']);
  });

  it('says which folder is missing', async () => {
    const path = join(await tempFolder(), 'none', 'a');
    await expect(writeFileAtomic(path, 'x', {mode: 0o600, overwrite: false})).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: `${path} cannot be written: there is no such file or folder.`,
    });
  });

  it('makes private folders private', async () => {
    const folder = await tempFolder();
    await makeFolder(join(folder, 'ca'), 'private');
    expect(await modeOf(join(folder, 'ca'))).toBe(0o700);
    await writeFile(join(folder, 'file'), '');
    await expect(makeFolder(join(folder, 'file', 'x'), 'public')).rejects.toMatchObject({code: 'FILE_UNWRITABLE'});
  });
});

describe('reading', () => {
  it.each([0o640, 0o604, 0o644, 0o660, 0o610])('refuses a key of mode %o', async (mode) => {
    const path = join(await tempFolder(), 'a.key');
    await writeFile(path, 'secret');
    await chmod(path, mode);
    await expect(readPrivateFile(path)).rejects.toMatchObject({
      code: 'KEY_PERMISSIONS',
      hint: `Run: chmod 600 ${path}`,
    });
    await chmod(path, 0o400);
    expect(await readPrivateFile(path)).toBe('secret');
  });

  it('follows a link, as mounted secrets have them, and asks the mode of what it leads to', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'data'), 'secret', {mode: 0o600});
    await symlink('data', join(folder, 'tls.key'));
    expect(await readPrivateFile(join(folder, 'tls.key'))).toBe('secret');
    await chmod(join(folder, 'data'), 0o644);
    await expect(readPrivateFile(join(folder, 'tls.key'))).rejects.toMatchObject({code: 'KEY_PERMISSIONS'});
  });

  it('refuses what is missing, a folder, or far too large', async () => {
    const folder = await tempFolder();
    await expect(readTextFile(join(folder, 'none'))).rejects.toMatchObject({code: 'FILE_UNREADABLE'});
    await expect(readTextFile(folder)).rejects.toMatchObject({code: 'FILE_UNREADABLE'});
    await writeFile(join(folder, 'big'), 'x'.repeat(101));
    await expect(readTextFile(join(folder, 'big'), 100)).rejects.toMatchObject({code: 'FILE_TOO_LARGE'});
    await link(join(folder, 'big'), join(folder, 'same'));
    expect(await readTextFile(join(folder, 'same'), 101)).toHaveLength(101);
  });
});
