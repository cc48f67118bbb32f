import {once} from 'node:events';
import {mkdtemp, rm, stat, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createClient} from '../../src/lib/client/index.js';
import {cli, type Running, start} from './cli.js';

let dir = '';
const started: Running[] = [];

function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  const running = start(args, {cwd: dir, env});
  started.push(running);
  return running;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'paynet-commands-'));
  const server = ['--server', '--cn', 'localhost', '--san', '127.0.0.1', '--out', 'certs'];
  expect((await cli(['tls', 'gencert', ...server], {cwd: dir})).code).toBe(0);
  expect((await cli(['tls', 'gencert', '--cn', 'device001', '--out', 'certs'], {cwd: dir})).code).toBe(0);
  await writeFile(
    join(dir, 'config.yaml'),
    `server:
  addr: "127.0.0.1:0"
  drain_timeout: 100ms
  tls: {cert: certs/localhost.crt, key: certs/localhost.key, client_ca: certs/ca.crt}
observe: {addr: "127.0.0.1:0", log_format: json}
`,
  );
});
afterAll(async () => {
  for (const {child} of started) child.kill('SIGKILL');
  await rm(dir, {recursive: true, force: true});
});

const deviceFlags = ['--ca', 'certs/ca.crt', '--cert', 'certs/device001.crt', '--key', 'certs/device001.key'];

async function serve(...more: string[]): Promise<{running: Running; port: number; observe: number}> {
  const running = run(['serve', '-c', 'config.yaml', '--json', ...more]);
  const {address, observe} = JSON.parse(await running.line(/listening/));
  return {running, port: address.port, observe: observe?.port};
}

describe('paynetctl quickstart', () => {
  it('--once --json ends with 0 and every step', async () => {
    const {code, out} = await cli(['quickstart', '--once', '--json', '--dir', 'quick'], {cwd: dir});
    expect(code).toBe(0);
    const result = JSON.parse(out);
    expect(result.ok).toBe(true);
    expect(result.steps.map(({name}: {name: string}) => name)).toEqual([
      'certificates and configuration',
      'webhook receiver',
      'server',
      'register and log in',
      'heartbeat',
      'coin order',
    ]);
    for (const key of ['quick/localhost.key', 'quick/device001.key', 'quick/ca/ca.key']) {
      expect((await stat(join(dir, key))).mode & 0o777).toBe(0o600);
    }
  });

  it('stays up, and ends with 0 at Ctrl-C', async () => {
    const running = run(['quickstart', '--dir', 'quick', '--devices', '2']);
    await running.line(/paid out/);
    running.child.kill('SIGINT');
    expect(await running.ended).toBe(0);
    expect(running.out()).toMatch(/device002 .*online/);
  });

  it('ends with 1 and says which step failed when the folder cannot be written', async () => {
    await writeFile(join(dir, 'file'), '');
    const {code, out, err} = await cli(['quickstart', '--once', '--dir', 'file/inside'], {cwd: dir});
    expect(code).toBe(1);
    expect(out).toContain('✗ certificates and configuration');
    expect(err).toMatch(/^Error: certificates and configuration: /);
    expect(err).not.toMatch(/ at .*\.js/);
  });

  it.each([['--devices', '0'], ['--devices', 'x'], ['--bogus']])('refuses %s %s with 2', async (...args) => {
    expect((await cli(['quickstart', ...args], {cwd: dir})).code).toBe(2);
  });
});

describe('paynetctl serve', () => {
  it('--check says that a configuration is good, and prints it without secrets', async () => {
    const {code, out} = await cli(['serve', '-c', 'config.yaml', '--check', '--json'], {
      cwd: dir,
      env: {PAYNET_IDEMPOTENCY_BACKEND: 'redis', PAYNET_IDEMPOTENCY_DSN: 'redis://user:sesame@127.0.0.1:1/0'},
    });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      config: {server: {max_frame: 65_535}, idempotency: {backend: 'redis'}},
    });
    expect(out).not.toContain('sesame');
  });

  it('ends with 0 at SIGTERM with a device connected, which comes back to the next server', async () => {
    const first = await serve();
    const device = run([
      'simulate',
      'device',
      '--server',
      `127.0.0.1:${first.port}`,
      ...deviceFlags,
      '--set',
      'client.reconnect.max=1s',
      '--json',
    ]);
    await device.line(/"event":"online"/);
    const ready = await fetch(`http://127.0.0.1:${first.observe}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, {ready: true, reasons: []}]);
    first.running.child.kill('SIGTERM');
    expect(await first.running.ended).toBe(0);
    await device.line(/"event":"offline"/);
    const second = await serve('--set', `server.addr=127.0.0.1:${first.port}`);
    await device.line(/"event":"online".*/);
    device.child.kill('SIGINT');
    expect(await device.ended).toBe(0);
    second.running.child.kill('SIGTERM');
    expect(await second.running.ended).toBe(0);
  });

  it('says in one line, without a stack, why it cannot start', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const {port} = taken.address() as {port: number};
    try {
      for (const key of ['server.addr', 'observe.addr']) {
        const {code, err} = await cli(['serve', '-c', 'config.yaml', '--set', `${key}=127.0.0.1:${port}`], {cwd: dir});
        expect(code).toBe(1);
        expect(err).toMatch(new RegExp(`Error: port ${port} is already in use \\(${key} is`));
        expect(err).not.toMatch(/ at .*\.js/);
      }
    } finally {
      taken.close();
    }
  });

  const wrong: [string, string[], number, RegExp][] = [
    ['no configuration', [], 2, /Which configuration\?/],
    ['a missing file', ['-c', 'nope.yaml'], 1, /"nope.yaml" does not exist/],
    ['an unknown key', ['-c', 'config.yaml', '--set', 'server.max_fram=1'], 2, /max_frame/],
    ['a wrong value', ['-c', 'config.yaml', '--set', 'server.max_frame=-3'], 2, /--set server.max_frame.*from 1 to/],
    ['a missing key file', ['-c', 'config.yaml', '--set', 'server.tls.key=nope.key'], 1, /server.tls.key.*nope.key/],
    [
      'a key of another certificate',
      ['-c', 'config.yaml', '--set', 'server.tls.key=certs/device001.key'],
      1,
      /is not the key of/,
    ],
  ];
  it.each(wrong)('refuses %s', async (_name, args, expected, message) => {
    const {code, out, err} = await cli(['serve', ...args], {cwd: dir});
    expect([code, out]).toEqual([expected, '']);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/ at .*\.js/);
  });
});

describe('paynetctl simulate device', () => {
  it('is simulate-device too, and --for ends it with 0', async () => {
    const {running, port} = await serve();
    const {code, out} = await cli(['simulate-device', '--server', `127.0.0.1:${port}`, ...deviceFlags, '--for', '1s'], {
      cwd: dir,
    });
    expect(code).toBe(0);
    expect(out).toMatch(/LoginRsp .*code=OK/);
    expect(out).not.toMatch(/resume_token=r1/);
    running.child.kill('SIGTERM');
    await running.ended;
  });

  it('ends with 1 when it never came online, and says why', async () => {
    const {code, err} = await cli(['simulate', 'device', '--server', '127.0.0.1:1', ...deviceFlags, '--for', '500ms'], {
      cwd: dir,
    });
    expect(code).toBe(1);
    expect(err).toMatch(/did not come online within 500ms/);
    expect(err).toMatch(/ECONNREFUSED/);
  });

  it.each([
    [['--server', 'nonsense', ...deviceFlags], /client.addr/],
    [['--server', '127.0.0.1:1', '--ca', 'certs/ca.crt'], /--sn or --device-id/],
    [['--server', '127.0.0.1:1', ...deviceFlags, '--coin-time', 'soon'], /soon/],
  ])('refuses %j with 2', async (args, message) => {
    const {code, err} = await cli(['simulate', 'device', ...args], {cwd: dir});
    expect(err).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('paynetctl serve without code made out of strings', () => {
  const flag = '--disallow-code-generation-from-strings';

  it('serves a device', async () => {
    const running = start(['serve', '-c', 'config.yaml', '--json'], {cwd: dir, node: [flag]});
    started.push(running);
    const {address} = JSON.parse(await running.line(/listening/));
    const device = ['simulate', 'device', '--server', `127.0.0.1:${address.port}`, ...deviceFlags, '--for', '1s'];
    expect((await cli(device, {cwd: dir})).code).toBe(0);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
  });

  it('pays out what is ordered over HTTP', async () => {
    const folder = await mkdtemp(join(dir, 'http-'));
    const set = ['--set', `store.path=${join(folder, 'paynet.db')}`, '--set', 'api.addr=127.0.0.1:0'];
    const created = await cli(['apikey', 'create', '--name', 'till', '-c', 'config.yaml', '--json', ...set], {
      cwd: dir,
    });
    const {key, hmac_secret: hmacSecret} = JSON.parse(created.out);
    const running = start(['serve', '-c', 'config.yaml', '--json', ...set], {cwd: dir, node: [flag]});
    started.push(running);
    const {address, api} = JSON.parse(await running.line(/listening/));
    const device = run([
      ...['simulate', 'device', '--server', `127.0.0.1:${address.port}`, ...deviceFlags],
      ...['--coin-time', '1ms', '--json'],
    ]);
    await device.line(/"event":"online"/);
    const client = createClient({server: `http://127.0.0.1:${api.port}`, key, hmacSecret, timeoutMs: 10_000});
    const body = {order_no: 'H-1', device_id: 'device001', coins: 3, timeout_seconds: 30};
    let placed: Promise<object> | undefined;
    const onOpen = (): void => {
      placed ??= client.post('/api/v1/coin-orders', {body});
    };
    for await (const {event, data} of client.stream({onOpen})) {
      if (event === 'order' && (data as {status: string}).status === 'done') break;
    }
    expect(await placed).toMatchObject({order_no: 'H-1'});
    expect(await client.get('/api/v1/orders/H-1')).toMatchObject({status: 'done', progress: 100, coins: 3});
    const {events} = await client.get<{events: {event_type: string}[]}>('/api/v1/orders/H-1/events');
    expect(events.map(({event_type: type}) => type)).toEqual(['order.created', 'order.confirmed', 'order.completed']);
    device.child.kill('SIGINT');
    expect(await device.ended).toBe(0);
    running.child.kill('SIGTERM');
    expect(await running.ended).toBe(0);
  });

  it('tells errors as always, and that nothing else runs', async () => {
    const wrong = await cli(['serve', '--bogus'], {cwd: dir, node: [flag]});
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('--bogus')]);
    const missing = await cli(['serve', '-c', 'nope.yaml', '--json'], {cwd: dir, node: [flag]});
    expect([missing.code, JSON.parse(missing.out).error.code]).toEqual([1, 'CONFIG_UNREADABLE']);
    expect((await cli(['doctor'], {cwd: dir, node: [flag]})).code).toBe(2);
  });
});
