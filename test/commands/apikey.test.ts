import {existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {createApiKeys, openMasterKey} from '../../src/lib/api/index.js';
import {MASTER_KEY, openAt, startTestApi} from '../api/support.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {type Ran, type RunOptions, run} from './run.js';

const KEY = /^pnk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const CONFIG = 'server:\n  tls: {cert: server.crt, key: server.key, client_ca: ca.crt}\n';

interface Made {
  id: string;
  name: string;
  scope: string;
  key: string;
  hmac_secret: string;
  created_at: string;
  expires_at: string | null;
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'paynet-apikey-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  writeFileSync(join(folder, 'config.yaml'), CONFIG);
});

const file = (name: string): string => join(folder, name);

function apikey(args: string[], options: RunOptions = {}): Promise<Ran> {
  return run(['apikey', ...args, '-c', 'config.yaml'], {cwd: folder, ...options});
}

async function json<T>(args: string[], options: RunOptions = {}): Promise<T> {
  const {code, stdout, stderr} = await apikey([...args, '--json'], options);
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  return JSON.parse(stdout) as T;
}

async function fault(args: string[], options: RunOptions = {}): Promise<{exit: number; code: string; message: string}> {
  const {code, stdout, stderr} = await apikey([...args, '--json'], options);
  expect(stderr).toBe('');
  return {exit: code, ...(JSON.parse(stdout) as {error: {code: string; message: string}}).error};
}

const keysIn = async (): Promise<Record<string, unknown>[]> =>
  (await json<{keys: Record<string, unknown>[]}>(['list'])).keys;

describe('apikey beside a running server', () => {
  it('makes keys that are accepted at once, and revokes them within 5 s', async () => {
    writeFileSync(file('paynet.key'), `${MASTER_KEY.toString('base64')}\n`, {mode: 0o600});
    const {call, clock} = await startTestApi({path: file('paynet.db')});
    const {id, key, hmac_secret: hmacSecret} = await json<Made>(['create', '--name', 'till', '--scope', 'read']);
    const signed = {
      key: {
        id,
        key,
        hmacSecret,
        name: '',
        scope: 'read',
        createdAt: 0,
        expiresAt: null,
        lastUsedAt: null,
        revokedAt: null,
      },
    } as const;
    expect((await call('GET', '/api/v1/stats', signed)).status).toBe(200);
    expect((await call('POST', '/api/v1/events/replay', {...signed, body: {}})).json.error_code).toBe('SCOPE_MISSING');
    expect(await json(['revoke', id])).toEqual({id, revoked: true});
    clock.now += 5000;
    expect((await call('GET', '/api/v1/stats', signed)).status).toBe(401);
    const listed = await keysIn();
    expect(listed.map(({name}) => name)).toEqual(['test', 'till']);
    expect(listed[1]).toMatchObject({id, scope: 'read', revoked_at: expect.stringMatching(/Z$/)});
  });
});

describe('apikey before the first start', () => {
  it('makes the database, the master key and a key that the server knows', async () => {
    const {code, stdout, stderr} = await apikey(['create', '--name', 'till']);
    expect(code).toBe(0);
    const [, key = '', hmacSecret = ''] = /^key {10}(\S+)\nhmac_secret {2}(\S+)\n$/.exec(stdout) ?? [];
    expect(key).toMatch(KEY);
    expect(stderr).toMatch(/^Made API key [0-9a-f]{12} with scope write; it does not expire\.\nKeep both safe/);
    expect(stderr).not.toContain(key.slice(17));
    expect(stderr).not.toContain(hmacSecret);
    for (const name of ['paynet.db', 'paynet.key']) expect(statSync(file(name)).mode & 0o777, name).toBe(0o600);
    const store = await openAt(file('paynet.db'));
    const keys = createApiKeys({store, masterKey: await openMasterKey(file('paynet.key'))});
    const found = await keys.find(key);
    expect(found).toMatchObject({id: key.slice(4, 16), scope: 'write'});
    expect(found?.hmacSecret.export().toString()).toBe(hmacSecret);
  });

  it('takes the places that the configuration names', async () => {
    const set = ['--set', 'store.path=data/other.db', '--set', 'api.master_key=secret/other.key'];
    await json(['create', '--name', 'till', ...set]);
    expect(existsSync(file('data/other.db')) && existsSync(file('secret/other.key'))).toBe(true);
    expect(existsSync(file('paynet.db')) || existsSync(file('paynet.key'))).toBe(false);
  });
});

describe('apikey create', () => {
  it('prints one stable object with --json', async () => {
    const before = Date.now();
    const made = await json<Made>(['create', '--name', 'Kasse 1', '--scope', 'admin', '--expires', '90d']);
    const {key, hmac_secret, created_at, expires_at, ...rest} = made;
    expect(rest).toEqual({id: key.slice(4, 16), name: 'Kasse 1', scope: 'admin'});
    expect(key).toMatch(KEY);
    expect(Buffer.from(hmac_secret, 'base64url')).toHaveLength(32);
    const created = Date.parse(created_at);
    expect(created).toBeGreaterThanOrEqual(before);
    // The lifetime counts from when the command began.
    const lasts = Date.parse(expires_at ?? '') - created;
    expect(lasts).toBeLessThanOrEqual(90 * 86_400_000);
    expect(lasts).toBeGreaterThan(90 * 86_400_000 - 60_000);
  });

  it('writes a file of the owner only with --out, and prints nothing secret', async () => {
    for (const flags of [[], ['--json']]) {
      const out = `key${flags.length}.json`;
      const {code, stdout, stderr} = await apikey(['create', '--name', 'till', '--out', out, ...flags]);
      expect(code).toBe(0);
      expect(statSync(file(out)).mode & 0o777).toBe(0o600);
      const made = JSON.parse(readFileSync(file(out), 'utf8')) as Made;
      expect(Object.keys(made)).toEqual(['id', 'name', 'scope', 'key', 'hmac_secret', 'created_at', 'expires_at']);
      expect(made.key).toMatch(KEY);
      expect(stdout).toContain(made.id);
      for (const secret of [made.key.slice(17), made.hmac_secret]) expect(stdout + stderr).not.toContain(secret);
    }
  });

  it('makes no key that nobody gets to see', async () => {
    writeFileSync(file('there.json'), 'mine');
    const there = await fault(['create', '--name', 'till', '--out', 'there.json']);
    expect(there).toMatchObject({exit: 1, code: 'FILE_EXISTS'});
    expect(readFileSync(file('there.json'), 'utf8')).toBe('mine');
    expect(existsSync(file('paynet.db'))).toBe(false);
    const nowhere = await fault(['create', '--name', 'till', '--out', 'no/folder.json']);
    expect(nowhere).toMatchObject({exit: 1, code: 'FILE_UNWRITABLE'});
    expect(await keysIn()).toMatchObject([{name: 'till', revoked_at: expect.any(String)}]);
  });

  it('refuses a master key that is open, broken, or not that of the keys', async () => {
    await json(['create', '--name', 'till']);
    const content = readFileSync(file('paynet.key'), 'utf8');
    writeFileSync(file('open.key'), content, {mode: 0o644});
    writeFileSync(file('broken.key'), content.slice(0, 20), {mode: 0o600});
    writeFileSync(file('other.key'), `${MASTER_KEY.toString('base64')}\n`, {mode: 0o600});
    for (const [name, code] of [
      ['open', 'KEY_PERMISSIONS'],
      ['broken', 'MASTER_KEY_INVALID'],
      ['other', 'MASTER_KEY_WRONG'],
    ]) {
      const refused = await fault(['create', '--name', 'next', '--set', `api.master_key=${name}.key`]);
      expect(refused).toMatchObject({exit: 1, code});
      expect(refused.message).not.toContain(content.slice(0, 10));
    }
    expect(await keysIn()).toHaveLength(1);
  });

  it.each([
    ['no name', ['create']],
    ['an empty name', ['create', '--name', '']],
    ['a long name', ['create', '--name', 'n'.repeat(65)]],
    ['an unknown scope', ['create', '--name', 'a', '--scope', 'root']],
    ['a time without a unit', ['create', '--name', 'a', '--expires', '90']],
    ['no time', ['create', '--name', 'a', '--expires', '0d']],
    ['no time at all', ['create', '--name', 'a', '--expires', '0s']],
    ['too long a time', ['create', '--name', 'a', '--expires', '36501d']],
    ['a time that is past', ['create', '--name', 'a', '--expires=-1d']],
    ['an unknown setting', ['create', '--name', 'a', '--set', 'api.key=x']],
    ['no id to revoke', ['revoke']],
  ])('is wrong usage with %s, and makes nothing', async (_, args) => {
    expect(await fault(args)).toMatchObject({exit: 2});
    expect(existsSync(file('paynet.db')) || existsSync(file('paynet.key'))).toBe(false);
  });

  it('asks for a configuration', async () => {
    const {code, stderr} = await run(['apikey', 'create', '--name', 'a'], {cwd: folder});
    expect({code, stderr}).toEqual({code: 2, stderr: expect.stringContaining('Which configuration?')});
  });
});

describe('apikey list', () => {
  it('shows one key a line, its state, and never a secret', async () => {
    expect(await apikey(['list'])).toMatchObject({code: 0, stdout: '', stderr: expect.stringContaining('no key yet')});
    const first = await json<Made>(['create', '--name', 'till\u202e', '--expires', '12h']);
    const second = await json<Made>(['create', '--name', 'old', '--scope', 'read']);
    await json(['revoke', second.id]);
    await json(['revoke', second.id]);
    const {code, stdout, stderr} = await apikey(['list']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    const [head, ...lines] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^id +scope +state +created +expires +last used +name$/);
    const [made, expires] = [first.created_at.slice(0, 10), first.expires_at?.slice(0, 10)];
    expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
      [first.id, 'write', 'in force', made, expires, '-', 'till\\u{202e}'],
      [second.id, 'read', 'revoked', second.created_at.slice(0, 10), '-', '-', 'old'],
    ]);
    const listed = await keysIn();
    expect(Object.keys(listed[0] ?? {})).toEqual([
      'id',
      'name',
      'scope',
      'created_at',
      'expires_at',
      'last_used_at',
      'revoked_at',
    ]);
    for (const {key, hmac_secret} of [first, second]) {
      expect(stdout + JSON.stringify(listed)).not.toContain(key.slice(17));
      expect(stdout + JSON.stringify(listed)).not.toContain(hmac_secret);
    }
  });
});

describe('apikey revoke', () => {
  it('needs the id of a key that is there, not its master key', async () => {
    const {id, key} = await json<Made>(['create', '--name', 'till']);
    expect(await fault(['revoke', '000000000000'])).toMatchObject({exit: 1, code: 'API_KEY_NOT_FOUND'});
    const shown = await fault(['revoke', key]);
    expect(shown).toMatchObject({exit: 2, code: 'USAGE'});
    expect(JSON.stringify(shown)).not.toContain(key.slice(17));
    rmSync(file('paynet.key'));
    const {code, stdout} = await apikey(['revoke', id]);
    expect({code, stdout}).toEqual({code: 0, stdout: `revoked  ${id}\n`});
    expect(existsSync(file('paynet.key'))).toBe(false);
    expect(await keysIn()).toMatchObject([{id, revoked_at: expect.any(String)}]);
  });
});

describe('apikey with PostgreSQL', () => {
  let postgres: TestPostgres | undefined;
  afterAll(() => postgres?.remove());

  it('makes, lists and revokes keys', async () => {
    postgres = await startPostgres();
    // Its address holds a password, which does not belong on a command line.
    const env = {PAYNET_STORE_ENGINE: 'postgres', PAYNET_STORE_DSN: await postgres.newDatabase()};
    const {id} = await json<Made>(['create', '--name', 'till'], {env});
    await json(['revoke', id], {env});
    expect(await json(['list'], {env})).toMatchObject({keys: [{id, name: 'till', revoked_at: expect.any(String)}]});
    expect(existsSync(file('paynet.db'))).toBe(false);
  });
});
