// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of configuration files are meant
import {execFile} from 'node:child_process';
import {mkdir, symlink, writeFile} from 'node:fs/promises';
import {promisify} from 'node:util';
import {describe, expect, it, test} from 'vitest';
import {
  type ConfigInput,
  configJsonSchema,
  loadConfig,
  parseConfig,
  printableConfig,
} from '../../src/lib/config/index.js';
import {CLIENT_FILE, configFolder, SERVER_FILE} from './files.js';

const {path, load, problems} = configFolder();
const run = promisify(execFile);

describe('the files of the field', () => {
  it('the server file works as it is, with the defaults of the security notes', async () => {
    expect(await load(SERVER_FILE)).toEqual({
      server: {
        addr: ':443',
        max_frame: 65_535,
        heartbeat_expect: 70_000,
        login_timeout: 10_000,
        handshake_timeout: 10_000,
        drain_timeout: 10_000,
        query_rsp_type: 5,
        limits: {
          max_connections: 50_000,
          per_address: 200,
          per_certificate: 2,
          accept_rate: 500,
          accept_burst: 1000,
          handshakes: 100,
          messages_per_second: 50,
          message_burst: 200,
          write_buffer: 262_144,
        },
        tls: {
          cert: '/etc/paynet/server.crt',
          key: '/etc/paynet/server.key',
          client_ca: '/etc/paynet/ca.crt',
          mutual_auth: true,
          min_version: '1.3',
          session_tickets: true,
        },
      },
      frame: {length: 'type+payload'},
      dispatcher: {workers: 32, queue: 2048},
      idempotency: {backend: 'redis', dsn: 'redis://user:pass@host:6379/0'},
      auth: {bind_certificate: true, allow_unverified: false},
      observe: {addr: ':9090', log_level: 'info', log_format: 'auto'},
      store: {engine: 'sqlite', path: path('paynet.db'), pool: 8},
      api: {addr: ':7055', require_hmac: true, master_key: path('paynet.key'), rate: 20_000},
      events: {allow_private: false, allow_http: false, fast_retries: 5, give_up_after: 259_200_000},
      orders: {keep: 0},
      session: {timeout: 60_000, timeout_override: {paynet: 150_000}, freshness: 'graded'},
      hooks: {},
    });
  });

  it('the device file works as it is', async () => {
    expect((await load(CLIENT_FILE, {need: 'client'})).client).toEqual({
      addr: 'paynet.example.com:443',
      tls: {
        ca: '/opt/paynet/ca.crt',
        cert: '/opt/paynet/device.crt',
        key: '/opt/paynet/device.key',
        min_version: '1.3',
      },
      reconnect: {base: 1000, max: 64_000},
      heartbeat_send: 60_000,
      connect_timeout: 10_000,
      max_frame: 65_535,
      query_rsp_type: 5,
    });
  });

  it('one file may hold both', async () => {
    const config = await load(SERVER_FILE + CLIENT_FILE, {need: 'client'});
    expect([config.server?.addr, config.client.addr]).toEqual([':443', 'paynet.example.com:443']);
  });

  it('is loaded without making code at run time', async () => {
    await writeFile(path('strict.yaml'), SERVER_FILE);
    const program = `
      import {loadConfig} from './src/lib/config/index.js';
      const config = await loadConfig({file: process.argv[1], need: 'server', env: {}});
      process.stdout.write(String(config.server.heartbeat_expect));`;
    const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', program];
    expect((await run(process.execPath, [...flags, path('strict.yaml')])).stdout).toBe('70000');
  });
});

describe('where values come from', () => {
  const env = {PAYNET_SERVER_MAX_FRAME: '2000', PAYNET_SERVER_ADDR: ':1', PAYNET_SERVER_TLS_SESSION_TICKETS: 'false'};

  it('a flag wins over the environment, that over the file, that over the default', async () => {
    const {server} = await load(SERVER_FILE, {env, set: ['server.max_frame=3000']});
    expect([server.max_frame, server.addr, server.tls.session_tickets]).toEqual([3000, ':1', false]);
    expect([server.heartbeat_expect, server.login_timeout]).toEqual([70_000, 10_000]);
  });

  it('no file is needed', async () => {
    const set = ['server.tls.cert=a', 'server.tls.key=b', 'server.tls.client_ca=c', 'server.tls.crl=d,e'];
    const {server} = await loadConfig({need: 'server', env: {PAYNET_SERVER_HEARTBEAT_EXPECT: '2m'}, set});
    expect(server).toMatchObject({heartbeat_expect: 120_000, tls: {cert: 'a', crl: ['d', 'e']}});
  });

  it('a value may hold an equals sign', async () => {
    const config = await load(SERVER_FILE, {set: ['idempotency.dsn=redis://u:a=b@h']});
    expect(config.idempotency.dsn).toBe('redis://u:a=b@h');
  });

  it('an empty variable is a value, and refused as one', async () => {
    expect(await problems(SERVER_FILE, {env: {PAYNET_SERVER_TLS_CERT: ''}})).toEqual([
      'PAYNET_SERVER_TLS_CERT: server.tls.cert: must be the path of the server certificate, or its PEM text, not ""',
    ]);
  });

  it("a variable for the device does not force a server to have a device's section", async () => {
    const other = {PAYNET_CLIENT_ADDR: 'host:1'};
    expect((await load(SERVER_FILE, {env: other})).client).toBeUndefined();
    expect((await load(SERVER_FILE + CLIENT_FILE, {env: other})).client?.addr).toBe('host:1');
  });

  it('placeholders take the environment and the type of the setting', async () => {
    const text = SERVER_FILE.replace('65535', '${FRAME}').replace('user:pass', '${WHO}:${PASSWORD}');
    const config = await load(text, {env: {FRAME: '4096', WHO: 'me', PASSWORD: 's3cret'}});
    expect(config.server.max_frame).toBe(4096);
    expect(config.idempotency.dsn).toBe('redis://me:s3cret@host:6379/0');
  });

  it('a placeholder can not add keys, whatever its value', async () => {
    const env = {EVIL: 'x\nobserve:\n  addr: off'};
    const config = await load(SERVER_FILE.replace('/etc/paynet/server.crt', '${EVIL}'), {env});
    expect(config.observe.addr).toBe(':9090');
  });

  it('a relative path counts from the folder of the file, or from the working directory elsewhere', async () => {
    const text = SERVER_FILE.replace('/etc/paynet/server.crt', 'certs/server.crt');
    const {server} = await load(text, {set: ['server.tls.key=certs/server.key']});
    expect([server.tls.cert, server.tls.key]).toEqual([path('certs/server.crt'), 'certs/server.key']);
  });

  it('what Kubernetes puts beside a service called paynet-server is left alone', async () => {
    const env = {
      PAYNET_SERVER_SERVICE_HOST: '10.0.0.1',
      PAYNET_SERVER_SERVICE_PORT: '443',
      PAYNET_SERVER_SERVICE_PORT_HTTPS: '443',
      PAYNET_SERVER_PORT: 'tcp://10.0.0.1:443',
      PAYNET_SERVER_PORT_443_TCP: 'tcp://10.0.0.1:443',
      PAYNET_SERVER_PORT_443_TCP_ADDR: '10.0.0.1',
      PAYNET_HOME: '/x',
    };
    await expect(load(SERVER_FILE, {env})).resolves.toBeDefined();
  });
});

describe('a configuration of a program', () => {
  const input: ConfigInput = {server: {tls: {cert: 'a', key: 'b', client_ca: 'c'}, login_timeout: 1500}};

  it('has the same defaults, and numbers of milliseconds', () => {
    const {server} = parseConfig(input, 'server');
    expect([server.login_timeout, server.heartbeat_expect, server.limits.per_certificate]).toEqual([1500, 70_000, 2]);
  });

  it('is frozen, and independent of the object that was given', () => {
    const crl = ['x'];
    const given: ConfigInput = {server: {tls: {cert: 'a', key: 'b', client_ca: 'c', crl}}};
    const config = parseConfig(given, 'server');
    crl.push('y');
    expect(config.server.tls.crl).toEqual(['x']);
    expect(Object.isFrozen(config.server.tls)).toBe(true);
    expect(Object.keys(given)).toEqual(['server']);
  });

  it('names the key when it is wrong', () => {
    const wrong = {server: {tls: {cert: 'a', key: '-----BEGIN PRIVATE KEY-----', mutual_auth: 1}, extra: {}}};
    expect(() => parseConfig(wrong as unknown as ConfigInput, 'server')).toThrow(
      [
        'server.tls.mutual_auth: must be true or false, not 1',
        'server.extra: unknown key; allowed here: addr, max_frame, heartbeat_expect, login_timeout, handshake_timeout, ' +
          'drain_timeout, query_rsp_type, limits, tls',
      ].join('\n'),
    );
  });

  test.each([[undefined], [null], [5], ['text'], [[]]])('%j is refused', (value) => {
    expect(() => parseConfig(value as unknown as ConfigInput, 'server')).toThrow(
      'the section "server" is required here',
    );
  });
});

describe('files that are none', () => {
  test.each([
    ['missing.yaml', 'does not exist'],
    ['folder', 'is not a regular file'],
    ['pipe', 'is not a regular file'],
    ['large.yaml', 'is larger than 256 KiB'],
    ['latin1.yaml', 'is not UTF-8 text'],
    ['https://example.com/config.yaml', 'is a URL'],
  ])('%s %s', async (name, reason) => {
    await mkdir(path('folder'), {recursive: true});
    await run('sh', ['-c', `test -p "$0" || mkfifo "$0"`, path('pipe')]);
    await writeFile(path('large.yaml'), `# ${'x'.repeat(256 * 1024)}`);
    await writeFile(path('latin1.yaml'), Buffer.from([0x23, 0xe9, 0x0a]));
    const file = name.includes('://') ? name : path(name);
    await expect(loadConfig({file, need: 'server', env: {}})).rejects.toMatchObject({
      code: 'CONFIG_UNREADABLE',
      exitCode: 1,
      message: expect.stringContaining(reason),
      hint: expect.any(String),
    });
  });

  it('a symbolic link to a file is one', async () => {
    await writeFile(path('real.yaml'), SERVER_FILE);
    await symlink(path('real.yaml'), path('link.yaml'));
    await expect(loadConfig({file: path('link.yaml'), need: 'server', env: {}})).resolves.toBeDefined();
  });
});

it('is printed without its secrets, and what is printed can be loaded', async () => {
  const config = await load(SERVER_FILE, {set: ['server.tls.key=-----BEGIN PRIVATE KEY-----\nhunter2']});
  const printed = printableConfig(config);
  const text = JSON.stringify(printed);
  expect(text).not.toContain('hunter2');
  expect(text).not.toContain('pass@');
  expect(text).toContain('"heartbeat_expect":"1m10s"');
  expect(text).toContain('redis://user:[redacted]@host:6379/0');
  expect(parseConfig(printed as ConfigInput, 'server').server.heartbeat_expect).toBe(70_000);
});

it('has a JSON schema that knows every section and refuses the rest', () => {
  expect(configJsonSchema()).toMatchObject({
    type: 'object',
    additionalProperties: false,
    properties: {server: {required: ['tls'], properties: {tls: {required: ['cert', 'key']}}}, client: {}},
  });
});
