import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmod, readdir, readFile, rm, stat} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {beforeEach, describe, expect, it} from 'vitest';
import {loadClientCredentials, loadServerCredentials} from '../../src/lib/tls/index.js';
import {openssl, tempFolder} from './support.js';

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const command = join(import.meta.dirname, 'run-gencert.ts');

let folder: string;
beforeEach(async () => {
  folder = await tempFolder();
});

/** Runs `tls gencert` in the test's folder, without a terminal. */
async function gencert(...args: string[]): Promise<{code: number; stdout: string; stderr: string}> {
  const child = spawn(process.execPath, ['--import', tsx, command, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {...process.env, NO_COLOR: '1', NODE_ENV: 'production'},
  });
  const text = {stdout: '', stderr: ''};
  child.stdout.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text.stderr += chunk;
  });
  const [code] = (await once(child, 'close')) as [number];
  return {code, ...text};
}

const verify = (file: string, ca = 'certs/ca.crt') =>
  openssl('verify', '-x509_strict', '-CAfile', join(folder, ca), join(folder, file));
const modeOf = async (file: string) => (await stat(join(folder, file))).mode & 0o777;

describe('tls gencert', () => {
  it('works as the manual has it: the first run makes the authority, the second uses it again', async () => {
    const first = await gencert('--cn', 'device001', '--out', './certs');
    expect(first).toMatchObject({code: 0, stderr: expect.stringContaining('Made a certificate authority in certs/ca')});
    expect(first.stdout).toContain('certificate  certs/device001.crt');
    expect(first.stdout).toContain('names        DNS:device001');
    expect(first.stderr).toContain('ca: ./certs/ca.crt');
    expect(first.stdout + first.stderr).not.toContain('PRIVATE KEY');
    const authority = await readFile(join(folder, 'certs/ca/ca.crt'), 'utf8');

    const second = await gencert('--cn', 'device002', '--out', './certs');
    expect(second.code).toBe(0);
    expect(second.stderr).not.toContain('Made a certificate authority');
    expect(await readFile(join(folder, 'certs/ca/ca.crt'), 'utf8')).toBe(authority);
    expect(await readFile(join(folder, 'certs/ca.crt'), 'utf8')).toBe(authority);

    expect((await readdir(join(folder, 'certs'))).sort()).toEqual([
      'ca',
      'ca.crt',
      'device001.crt',
      'device001.key',
      'device002.crt',
      'device002.key',
    ]);
    expect(verify('certs/device001.crt')).toContain('OK');
    expect(verify('certs/device002.crt')).toContain('OK');
    expect(await modeOf('certs/device001.key')).toBe(0o600);
    expect(await modeOf('certs/device001.crt')).toBe(0o644);
    expect(await modeOf('certs/ca/ca.key')).toBe(0o600);
    expect(await modeOf('certs/ca')).toBe(0o700);
    expect(await modeOf('certs')).toBe(0o755);
  });

  it('makes what the server and the device can load, as the next steps say', async () => {
    await gencert('--server', '--cn', 'localhost', '--out', 'certs');
    await gencert('--cn', 'device001', '--out', 'certs', '--key-type', 'ed25519');
    const at = (name: string) => join(folder, 'certs', name);
    const server = await loadServerCredentials({
      cert: at('localhost.crt'),
      key: at('localhost.key'),
      client_ca: at('ca.crt'),
      mutual_auth: true,
      min_version: '1.3',
      session_tickets: true,
    });
    expect(server.certificates).toHaveLength(2);
    const device = {ca: at('ca.crt'), cert: at('device001.crt'), key: at('device001.key')};
    expect(await loadClientCredentials(device)).toHaveProperty('key');
  });

  it('prints a stable object with --json, and nothing else', async () => {
    const args = ['--server', '--cn', 'gw.example.com', '--san', '192.0.2.10', '--san', 'DNS:gw', '--days', '90'];
    const {code, stdout, stderr} = await gencert(...args, '--ca-dir', 'authority', '--json');
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(JSON.parse(stdout)).toEqual({
      certificate: 'certs/gw.example.com.crt',
      key: 'certs/gw.example.com.key',
      ca: 'certs/ca.crt',
      cn: 'gw.example.com',
      usage: 'server',
      names: ['DNS:gw.example.com', 'IP:192.0.2.10', 'DNS:gw'],
      serial: expect.stringMatching(/^[0-9A-F]{32}$/),
      notAfter: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/),
      createdCa: true,
    });
    expect(await readdir(join(folder, 'authority'))).toEqual(['ca.crt', 'ca.key']);
  });

  it('overwrites nothing without --force, and with it only its own files', async () => {
    await gencert('--cn', 'd1');
    const old = await readFile(join(folder, 'certs/d1.crt'), 'utf8');
    const refused = await gencert('--cn', 'd1');
    expect(refused).toMatchObject({code: 1, stdout: '', stderr: expect.stringMatching(/exists already.*\n.*--force/)});
    expect(await readFile(join(folder, 'certs/d1.crt'), 'utf8')).toBe(old);

    const authority = await readFile(join(folder, 'certs/ca/ca.key'), 'utf8');
    expect((await gencert('--cn', 'd1', '--force')).code).toBe(0);
    expect(await readFile(join(folder, 'certs/d1.crt'), 'utf8')).not.toBe(old);
    expect(await readFile(join(folder, 'certs/ca/ca.key'), 'utf8')).toBe(authority);
    expect(verify('certs/d1.crt')).toContain('OK');

    // A key without its certificate is in the way just as well.
    await rm(join(folder, 'certs/d1.crt'));
    expect((await gencert('--cn', 'd1')).code).toBe(1);
    expect(await readdir(join(folder, 'certs'))).not.toContain('d1.crt');
  });

  it('does not mix authorities in one folder', async () => {
    await gencert('--cn', 'd1');
    const mixed = await gencert('--cn', 'd2', '--ca-dir', 'other');
    expect(mixed).toMatchObject({code: 1, stderr: expect.stringContaining('another authority')});
    expect(await readdir(join(folder, 'certs'))).not.toContain('d2.crt');
    expect(await readdir(folder)).toEqual(['certs']);
    const same = await gencert('--cn', 'd2', '--out', 'elsewhere', '--ca-dir', 'certs/ca');
    expect(same.code).toBe(0);
    expect(verify('elsewhere/d2.crt')).toContain('OK');
  });

  it('makes one authority when several runs start at once', async () => {
    const runs = await Promise.all(['a', 'b', 'c', 'd'].map((cn) => gencert('--cn', cn, '--json')));
    expect(runs.map(({code}) => code)).toEqual([0, 0, 0, 0]);
    expect(runs.filter(({stdout}) => JSON.parse(stdout).createdCa)).toHaveLength(1);
    for (const cn of ['a', 'b', 'c', 'd']) expect(verify(`certs/${cn}.crt`)).toContain('OK');
  });

  it('tells about names and dates that surprise', async () => {
    const bare = await gencert('--server', '--cn', 'gw.example.com');
    expect(bare.stderr).toContain('add others with --san');
    const named = await gencert('--server', '--cn', 'gw2.example.com', '--san', 'gw2');
    expect(named.stderr).not.toContain('add others with --san');
  });

  const wrong: [string, string[], string][] = [
    ['no name', [], 'cn'],
    ['a path for a name', ['--cn', '../x'], 'must not hold "/"'],
    ['several attributes for a name', ['--cn', 'CN=dev, O=evil'], 'must not hold "="'],
    ['a newline in the name', ['--cn', 'a\nb'], '\\u{000a}'],
    ['a name of 300 bytes', ['--cn', 'a'.repeat(300)], '300 characters'],
    ['the name of the authority', ['--cn', 'CA'], 'authority'],
    ['too many days', ['--cn', 'd', '--days', '731'], '731 days'],
    ['too many days for a server', ['--cn', 'd', '--server', '--days', '399'], '399 days'],
    ['days that are no number', ['--cn', 'd', '--days', 'x'], 'integer'],
    ['an unknown type of key', ['--cn', 'd', '--key-type', 'dsa'], 'p256'],
    ['a broken alternative name', ['--cn', 'd', '--san', 'a b'], 'a b'],
    ['a wildcard for a device', ['--cn', 'd', '--san', '*.example.com'], '--server'],
    ['an unknown flag', ['--cn', 'd', '--nope'], 'nope'],
  ];
  it.each(wrong)('refuses %s with exit code 2, and leaves nothing behind', async (_, args, why) => {
    const {code, stdout, stderr} = await gencert(...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(await readdir(folder)).toEqual([]);
  });

  it('says in one line what is wrong with the authority or the folder', async () => {
    await gencert('--cn', 'd1');
    await chmod(join(folder, 'certs/ca/ca.key'), 0o644);
    const open = await gencert('--cn', 'd2');
    expect(open).toMatchObject({code: 1, stderr: expect.stringContaining('chmod 600 certs/ca/ca.key')});
    const json = await gencert('--cn', 'd2', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({error: {code: 'KEY_PERMISSIONS'}});
    const file = await gencert('--cn', 'd2', '--out', 'certs/d1.crt');
    expect(file).toMatchObject({code: 1, stderr: expect.stringContaining('certs/d1.crt')});
    expect(await readdir(join(folder, 'certs'))).not.toContain('d2.crt');
  });
});
