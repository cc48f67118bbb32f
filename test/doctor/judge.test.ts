import {mkdtemp, readdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {
  allocatorOf,
  checkDisk,
  judgeAllocator,
  judgeBacklog,
  judgeClock,
  judgeDescriptors,
  judgeDisk,
  judgeMemory,
  judgeNode,
  limitIn,
  type Status,
  together,
} from '../../src/lib/doctor/index.js';

describe('Node', () => {
  const versions: [string, Status, string][] = [
    ['18.20.8', 'problem', 'too old'],
    ['20.18.3', 'problem', '20.19 is the least'],
    ['20.19.0', 'warning', 'since April 2026'],
    ['20.20.2', 'warning', 'least memory'],
    ['21.7.3', 'warning', 'without support'],
    ['22.23.1', 'warning', 'known holes'],
    ['22.23.2', 'ok', 'maintenance'],
    ['22.24.0', 'ok', 'maintenance'],
    ['23.11.0', 'warning', 'without support'],
    ['24.18.0', 'warning', 'known holes'],
    ['24.18.1', 'ok', 'current'],
    ['24.21.0', 'ok', 'current'],
    ['25.9.0', 'warning', 'without support'],
    ['26.10.0', 'ok', 'current'],
    ['27.0.0-nightly', 'ok', 'newer'],
  ];
  it.each(versions)('%s is %s', (version, status, found) => {
    const finding = judgeNode(version);
    expect(finding).toMatchObject({status, found: expect.stringContaining(found)});
    expect(finding.advice !== undefined).toBe(status !== 'ok');
  });
});

describe('descriptors', () => {
  const limits: [number | undefined, number, Status, string][] = [
    [undefined, 50_000, 'skipped', 'not known'],
    [256, 100, 'problem', 'too few'],
    [1023, 1, 'problem', 'too few'],
    [20_000, 50_000, 'warning', 'enough for 19,488 devices of 50,000'],
    [50_511, 50_000, 'warning', 'enough for 49,999'],
    [50_512, 50_000, 'ok', 'enough for 50,000'],
    [Number.POSITIVE_INFINITY, 50_000, 'ok', 'any number'],
  ];
  it.each(limits)('%s for %s devices', (limit, devices, status, found) => {
    expect(judgeDescriptors(limit, devices)).toMatchObject({status, found: expect.stringContaining(found)});
  });

  it('are read from what the kernel says', () => {
    const line = (soft: string): string =>
      `Max cpu time  unlimited unlimited seconds\nMax open files            ${soft}    524288    files\n`;
    expect(limitIn(line('20000'))).toBe(20_000);
    expect(limitIn(line('unlimited'))).toBe(Number.POSITIVE_INFINITY);
    expect(limitIn('something else')).toBeUndefined();
  });
});

describe('the allocator', () => {
  const GLIBC = '7f00-7f01 r-xp 00000000 08:01 1 /usr/lib/x86_64-linux-gnu/libc.so.6\n';
  const JEMALLOC = `${GLIBC}7f02-7f03 r-xp 0 08:01 2 /usr/lib/x86_64-linux-gnu/libjemalloc.so.2\n`;
  const TUNED = 'narenas:1,dirty_decay_ms:1000,muzzy_decay_ms:0';
  const cases: [string, string, string | undefined, string, Status, string][] = [
    ['glibc', GLIBC, undefined, 'glibc', 'warning', 'doubles'],
    ['glibc by its old name', 'x /lib/libc-2.31.so\n', undefined, 'glibc', 'warning', 'doubles'],
    ['glibc with the settings of another', GLIBC, TUNED, 'glibc', 'warning', 'doubles'],
    ['jemalloc', JEMALLOC, undefined, 'jemalloc', 'warning', 'without narenas:1, dirty_decay_ms:1000'],
    ['jemalloc with its own decay', JEMALLOC, 'narenas:1', 'jemalloc', 'warning', 'dirty_decay_ms:1000'],
    [
      'jemalloc that never gives back',
      JEMALLOC,
      'narenas:1,dirty_decay_ms:-1,muzzy_decay_ms:0',
      'jemalloc',
      'warning',
      'dirty',
    ],
    ['jemalloc, tuned', JEMALLOC, TUNED, 'jemalloc', 'ok', 'tuned'],
    [
      'jemalloc, tuned more sharply',
      JEMALLOC,
      'background_thread:true,dirty_decay_ms:500, narenas:1,muzzy_decay_ms:0',
      'jemalloc',
      'ok',
      'tuned',
    ],
    ['mimalloc', `${GLIBC}x /usr/lib/libmimalloc.so.2\n`, undefined, 'mimalloc', 'ok', 'mimalloc'],
    ['musl', 'x /lib/ld-musl-x86_64.so.1\n', undefined, 'musl', 'warning', 'musl'],
    ['nothing known', 'x [heap]\n', undefined, 'unknown', 'warning', 'unknown'],
  ];
  it.each(cases)('%s', (_, maps, conf, name, status, found) => {
    const env = conf === undefined ? {} : {MALLOC_CONF: conf};
    const allocator = allocatorOf(maps, env);
    expect(allocator.name).toBe(name);
    expect(allocator.tuned).toBe(status === 'ok');
    const finding = judgeAllocator(allocator, env);
    expect(finding).toMatchObject({status, found: expect.stringContaining(found)});
    if (status === 'warning') expect(finding.advice).toContain(TUNED);
  });

  it('cannot be seen everywhere', () => expect(judgeAllocator(undefined, {}).status).toBe('skipped'));
});

describe('memory', () => {
  const GIB = 1024 ** 3;
  const machine = (gib: number) => ({bytes: gib * GIB, source: 'this machine' as const});
  it('is enough for some devices and not for others, and a tuned allocator makes the difference', () => {
    expect(judgeMemory(machine(8), 50_000, false).status).toBe('ok');
    expect(judgeMemory(machine(4), 50_000, false)).toMatchObject({
      status: 'warning',
      advice: expect.stringContaining('tuned allocator'),
    });
    expect(judgeMemory(machine(4), 50_000, true).status).toBe('ok');
    const small = judgeMemory({bytes: GIB / 4, source: 'this container'}, 50_000, true);
    expect(small).toMatchObject({status: 'warning', found: expect.stringContaining('0.3 GiB on this container')});
    const room = Number(/about ([\d,]+) devices/.exec(small.advice ?? '')?.[1]?.replaceAll(',', ''));
    expect(judgeMemory({bytes: GIB / 4, source: 'this container'}, room, true).status).toBe('ok');
    expect(judgeMemory({bytes: 1, source: 'this container'}, 1, true).advice).toContain('about 0 devices');
  });
});

describe('the clock', () => {
  const good = {now: Date.UTC(2026, 10, 20), driftMs: 0.4, synchronised: true};
  const readings: [string, object, Status, string][] = [
    ['is right', {}, 'ok', '2026-11-20T00:00:00Z; synchronised'],
    ['has nobody to say whether it is synchronised', {synchronised: undefined}, 'ok', '2026-11-20T00:00:00Z'],
    ['is not synchronised', {synchronised: false}, 'warning', 'not synchronised'],
    ['is moved forwards', {driftMs: 3_600_000}, 'warning', 'moved by 3600000 ms'],
    ['is moved backwards', {driftMs: -500}, 'warning', 'moved by -500 ms'],
    ['was never set', {now: 0}, 'problem', 'the clock says 1970'],
    ['is years back', {now: Date.UTC(2025, 11, 31)}, 'problem', '2025'],
    ['is far ahead', {now: Date.UTC(2100, 0, 1)}, 'problem', '2100'],
    ['is no number', {now: Number.NaN}, 'problem', 'nothing'],
  ];
  it.each(readings)('%s', (_, reading, status, found) => {
    expect(judgeClock({...good, ...reading})).toMatchObject({status, found: expect.stringContaining(found)});
  });
});

describe('the disk', () => {
  it('is slow, fast, or none', () => {
    expect(judgeDisk({medianMs: 0.3, inMemory: false}, '/data')).toEqual({
      status: 'ok',
      found: '/data: 0.30 ms to write and sync 4 KiB (median)',
    });
    expect(judgeDisk({medianMs: 25, inMemory: false}, '/data')).toMatchObject({status: 'warning'});
    expect(judgeDisk({medianMs: 0.01, inMemory: true}, '/tmp').found).toContain('in memory');
  });

  it('is measured in a folder that is left as it was', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paynet-disk-'));
    onTestFinished(() => rm(folder, {recursive: true, force: true}));
    const {status, found} = await checkDisk(folder);
    expect(['ok', 'warning']).toContain(status);
    expect(found).toMatch(/: \d+\.\d\d ms to write/);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(join(folder, 'file'), '');
    for (const dir of [join(folder, 'nowhere'), join(folder, 'file')]) {
      expect(await checkDisk(dir)).toMatchObject({status: 'problem', advice: expect.stringContaining('--dir')});
    }
  });
});

describe("the kernel's backlog", () => {
  const limits: [number | undefined, Status][] = [
    [128, 'warning'],
    [1023, 'warning'],
    [1024, 'ok'],
    [undefined, 'skipped'],
  ];
  it.each(limits)('%s', (limit, status) => expect(judgeBacklog(limit).status).toBe(status));
});

describe('findings together', () => {
  it('have the worst status, everything found, and each advice once', () => {
    const a = {status: 'ok', found: 'a'} as const;
    const b = {status: 'warning', found: 'b', advice: 'x'} as const;
    const c = {status: 'problem', found: 'c', advice: 'x'} as const;
    expect(together([a, b, c])).toEqual({status: 'problem', found: 'a; b; c', advice: 'x'});
    expect(together([a, {status: 'skipped', found: 's'}])).toEqual({status: 'ok', found: 'a; s'});
    expect(together([])).toEqual({status: 'skipped', found: ''});
  });
});
