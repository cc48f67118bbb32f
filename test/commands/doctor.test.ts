import {once} from 'node:events';
import {chmod, writeFile} from 'node:fs/promises';
import {type AddressInfo, createServer} from 'node:net';
import {join} from 'node:path';
import {beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {provisionCertificate} from '../../src/lib/tls/index.js';
import {DAY, forge, newAuthority, tempFolder} from '../tls/support.js';
import {run} from './run.js';

const NAMES = [
  'node',
  'configuration',
  'certificates',
  'ports',
  'redis',
  'descriptors',
  'memory',
  'allocator',
  'disk',
  'clock',
  'backlog',
];

interface Reported {
  ok: boolean;
  checks: {name: string; status: string; found: string; advice: string | null}[];
}

let folder: string;
beforeEach(async () => {
  folder = await tempFolder();
});

async function doctor(...args: string[]) {
  const {code, stdout, stderr} = await run(['doctor', '--dir', '.', ...args], {cwd: folder});
  return {code, stdout, stderr};
}

async function report(...args: string[]) {
  const {code, stdout, stderr} = await doctor('--json', ...args);
  expect(stderr).toBe('');
  const reported = JSON.parse(stdout) as Reported;
  return {
    code,
    ok: reported.ok,
    checks: reported.checks,
    of: (name: string) => reported.checks.find((c) => c.name === name),
  };
}

/** A configuration in the test's folder with certificates that are good, and what is to be different. */
async function configuration(
  changes: {addr?: string; cert?: string; key?: string; more?: string} = {},
): Promise<string> {
  const ca = {caDir: join(folder, 'ca'), outDir: join(folder, 'certs'), overwrite: false};
  await provisionCertificate({cn: 'localhost', usage: 'server', sans: [], keyType: 'p256', days: 90, ...ca});
  const {addr = '127.0.0.1:0', cert = 'certs/localhost.crt', key = 'certs/localhost.key', more = ''} = changes;
  const file = join(folder, 'config.yaml');
  await writeFile(
    file,
    `server:
  addr: "${addr}"
  limits: {max_connections: 100}
  tls: {cert: ${cert}, key: ${key}, client_ca: certs/ca.crt}
observe: {addr: "127.0.0.1:0"}
${more}`,
  );
  return file;
}

describe('doctor', () => {
  it('looks at the machine alone', async () => {
    const {code, ok, checks} = await report();
    expect(checks.map(({name}) => name)).toEqual(NAMES);
    expect({code, ok}).toEqual({code: 0, ok: true});
    const skipped = checks.filter(({status}) => status === 'skipped').map(({name}) => name);
    expect(skipped).toEqual(expect.arrayContaining(['configuration', 'certificates', 'ports', 'redis']));
    for (const {status, found, advice} of checks) {
      expect(found).not.toBe('');
      expect(advice === null).toBe(status === 'ok' || status === 'skipped');
    }
  });

  it('finds nothing wrong with a good installation', async () => {
    const {code, ok, of} = await report('-c', await configuration());
    expect({code, ok}).toEqual({code: 0, ok: true});
    for (const name of ['configuration', 'certificates', 'ports', 'descriptors', 'memory']) {
      expect(of(name)).toMatchObject({status: 'ok'});
    }
    expect(of('redis')).toMatchObject({status: 'skipped', found: 'not configured'});
  });

  it('says in plain lines what was found and what to do', async () => {
    await configuration();
    await chmod(join(folder, 'certs/localhost.key'), 0o644);
    const {code, stdout, stderr} = await doctor('-c', 'config.yaml');
    expect({code, stderr}).toEqual({code: 1, stderr: ''});
    expect(stdout).toMatch(
      /^problem {2}certificates .*open to other users \(mode 644\)\.\n +→ Run: chmod 600 .*certs\/localhost.key$/m,
    );
    expect(stdout).toMatch(/^ok {7}configuration config\.yaml is good$/m);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^1 problem, \d+ warnings?$/);
    expect(stdout).not.toContain('\u001b');
  });

  it('finds a port that is in use', async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const {port} = server.address() as AddressInfo;
    const {code, ok, of} = await report('-c', await configuration({addr: `127.0.0.1:${port}`}));
    expect({code, ok}).toEqual({code: 1, ok: false});
    expect(of('ports')).toMatchObject({
      status: 'problem',
      found: expect.stringContaining(`port ${port} is already in use`),
    });
  });

  it('finds a key of another certificate, and a certificate that has expired', async () => {
    const strange = await forge(await newAuthority(folder, 'strange'), {
      extendedKeyUsage: ['serverAuth'],
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() - DAY),
    });
    await writeFile(join(folder, 'old.crt'), strange.cert);
    await writeFile(join(folder, 'old.key'), strange.key, {mode: 0o600});
    const config = await configuration({key: 'old.key'});
    expect((await report('-c', config)).of('certificates')).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('old.key) is not the key of'),
    });
    await writeFile(
      join(folder, 'old.yaml'),
      `server: {addr: "127.0.0.1:0", tls: {cert: old.crt, key: old.key, client_ca: certs/ca.crt}}`,
    );
    const expired = await report('-c', 'old.yaml');
    expect(expired.code).toBe(1);
    expect(expired.of('certificates')).toMatchObject({status: 'problem', found: expect.stringContaining('expired on')});
  });

  it('finds a Redis that is away', async () => {
    const more = 'idempotency: {backend: redis, dsn: "redis://u:geheim@127.0.0.1:1/0"}\n';
    const {code, checks, of} = await report('-c', await configuration({more}));
    expect(code).toBe(1);
    expect(of('redis')).toMatchObject({status: 'problem', found: expect.stringContaining('127.0.0.1:1')});
    expect(JSON.stringify(checks)).not.toContain('geheim');
  });

  it('names every mistake of a configuration, and still looks at the rest', async () => {
    await writeFile(join(folder, 'bad.yaml'), 'server:\n  adr: ":443"\n  max_frame: 0\n');
    const {code, checks, of} = await report('-c', 'bad.yaml');
    expect(code).toBe(1);
    expect(checks.map(({name}) => name)).toEqual(NAMES);
    expect(of('configuration')).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('bad.yaml:2:3: server.adr'),
    });
    expect(of('configuration')?.found).toContain('bad.yaml:3:');
    expect(of('ports')).toMatchObject({status: 'skipped'});
    expect((await report('-c', 'nowhere.yaml')).of('configuration')?.found).toContain('does not exist');
  });

  it('refuses what it does not know with exit code 2', async () => {
    expect(await doctor('--nope')).toMatchObject({code: 2, stdout: ''});
  });
});
