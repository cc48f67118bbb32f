import {execFile} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, it} from 'vitest';
import {createApiKeys, openMasterKey} from '../../src/lib/api/index.js';
import {MASTER_KEY, NOW, openAt, tempFile} from './support.js';

const keyFile = (): string => join(dirname(tempFile()), 'paynet.key');

async function faultOf(path: string): Promise<Error & {code: string; hint: string}> {
  return openMasterKey(path).then(
    () => expect.fail('it was taken'),
    (error) => error,
  );
}

describe('the file of the master key', () => {
  it('is made where there is none, for its owner only, and holds the same key from then on', async () => {
    const path = join(dirname(keyFile()), 'new', 'paynet.key');
    const key = await openMasterKey(path);
    expect(key).toHaveLength(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toBe(`${key.toString('base64')}\n`);
    expect(readdirSync(dirname(path))).toEqual(['paynet.key']);
    expect(await openMasterKey(path)).toEqual(key);
    expect(await openMasterKey(keyFile())).not.toEqual(key);
  });

  it('is one for all that come at the same moment, in this process and in others', async () => {
    const path = keyFile();
    const program = `
      import {openMasterKey} from './src/lib/api/index.ts';
      console.log((await openMasterKey(process.argv[1])).toString('hex'));`;
    const flags = ['--import', 'tsx', '--input-type=module', '-e', program, path];
    const others = [1, 2].map(() => promisify(execFile)(process.execPath, flags));
    const here = await Promise.all(Array.from({length: 20}, () => openMasterKey(path)));
    const there = (await Promise.all(others)).map(({stdout}) => stdout.trim());
    expect(new Set([...here.map((key) => key.toString('hex')), ...there]).size).toBe(1);
    expect(readdirSync(dirname(path))).toEqual(['paynet.key']);
  });

  it('may be a link to where secrets are mounted, and end with or without a line break', async () => {
    const path = keyFile();
    const key = randomBytes(32);
    writeFileSync(`${path}.real`, key.toString('base64'), {mode: 0o400});
    symlinkSync(`${path}.real`, path);
    expect(await openMasterKey(path)).toEqual(key);
  });

  it.each(['640', '604', '644', '620'])('is refused when others can use it (mode %s)', async (mode) => {
    const path = keyFile();
    await openMasterKey(path);
    chmodSync(path, Number.parseInt(mode, 8));
    const fault = await faultOf(path);
    expect(fault).toMatchObject({name: 'PaynetError', code: 'KEY_PERMISSIONS', hint: `Run: chmod 600 ${path}`});
  });

  it.each([
    ['empty', ''],
    ['of 31 bytes', Buffer.alloc(31, 1).toString('base64')],
    ['of 33 bytes', Buffer.alloc(33, 1).toString('base64')],
    ['in hex', `${'c0ffee'.repeat(10)}c0ff`],
    ['of two lines', `${Buffer.alloc(32, 1).toString('base64')}\n${Buffer.alloc(32, 2).toString('base64')}`],
    // The last two bits of the last character stand for nothing.
    ['with bits left over', `${'A'.repeat(42)}B=`],
    ['without its padding', Buffer.alloc(32, 1).toString('base64').slice(0, -1)],
  ])('is refused %s, which is not shown', async (_, content) => {
    const path = keyFile();
    writeFileSync(path, content, {mode: 0o600});
    const fault = await faultOf(path);
    expect(fault).toMatchObject({name: 'PaynetError', code: 'MASTER_KEY_INVALID', hint: expect.any(String)});
    expect(fault.message).toContain(path);
    if (content !== '') expect(`${fault.message} ${fault.hint} ${fault.stack} ${fault.cause}`).not.toContain(content);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  it('is refused when it is no file, or when it cannot be made', async () => {
    const path = keyFile();
    mkdirSync(path, {mode: 0o700});
    expect(await faultOf(path)).toMatchObject({code: 'FILE_UNREADABLE'});
    expect(await faultOf('/proc/paynet.key')).toMatchObject({code: 'FILE_UNWRITABLE'});
  });
});

describe('a store with keys', () => {
  async function twoMasters() {
    const store = await openAt(tempFile());
    const clock = {now: NOW};
    const open = (masterKey: Uint8Array) => createApiKeys({store, masterKey, now: () => clock.now});
    return {clock, keys: open(MASTER_KEY), stranger: open(randomBytes(32))};
  }

  it('is good with the master key that they were made with, and with none yet', async () => {
    const {keys, stranger} = await twoMasters();
    await stranger.check();
    await keys.create({name: 'till', scope: 'write'});
    await keys.check();
  });

  it('is refused with another master key as long as one of them is in force', async () => {
    const {clock, keys, stranger} = await twoMasters();
    const lost = await keys.create({name: 'lost', scope: 'write'});
    const {expiresAt} = await keys.create({name: 'guest', scope: 'read', expiresAt: NOW + 1000});
    const own = await stranger.create({name: 'own', scope: 'read'});
    await expect(stranger.check()).rejects.toMatchObject({code: 'MASTER_KEY_WRONG', hint: expect.any(String)});
    // Whoever has lost the master key revokes what was made with it.
    await stranger.revoke(lost.id);
    await expect(stranger.check()).rejects.toMatchObject({code: 'MASTER_KEY_WRONG'});
    clock.now = expiresAt ?? 0;
    await stranger.check();
    expect(await stranger.find(lost.key)).toBeUndefined();
    expect((await stranger.find(own.key))?.id).toBe(own.id);
  });
});
