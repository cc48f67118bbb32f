import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {answering, envelope} from '../client/answering.js';
import {device, openSite, type Site} from '../client/site.js';
import {type Operator, onTerminal, operator} from './operator.js';

let site: Site;
let who: Operator;
const ends: (() => void | Promise<void>)[] = [];
beforeAll(async () => {
  site = await openSite((end) => ends.push(end));
  who = operator((end) => ends.push(end), site.origin, site.key);
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

describe('device', () => {
  it('list', async () => {
    expect(await who.run(['device', 'list'])).toMatchObject({
      code: 0,
      stderr: '',
      stdout: `DEVICE   ONLINE  SCORE  PROTOCOL  MODEL   FIRMWARE  LAST SEEN
PB-0001  yes       100  paynet    支付盒  1.4.0     2025-11-11 20:10:00 +08:00
PB-0002  no          -  paynet    支付盒  1.4.0     2025-11-11 20:10:00 +08:00
`,
    });
    const few = await who.run(['device', 'list', '--limit', '1']);
    expect(few).toMatchObject({code: 0, stderr: '1 of 2 devices.\n'});
    expect(await who.json('device', 'list', '--online')).toMatchObject({devices: [{device_id: 'PB-0001'}], total: 1});
    expect(await who.json('device', 'list', '--offline')).toMatchObject({devices: [{device_id: 'PB-0002'}], total: 1});
    expect((await who.run(['device', 'list', '--online', '--offline'])).code).toBe(2);
    expect((await who.run(['device', 'list', '--limit', '1001'])).code).toBe(2);
  });

  it('list is cut to a terminal, and only there', async () => {
    const {screen} = await onTerminal(['device', 'list'], {env: who.env, columns: 40});
    const lines = screen.trimEnd().split('\r\n');
    expect(lines[1]).toBe('PB-0001  yes       100  paynet    支付…');
    expect(lines).toHaveLength(3);
  });

  it('show', async () => {
    const {stdout} = await who.run(['device', 'show', 'PB-0001']);
    expect(stdout).toContain('model       支付盒\n');
    expect(stdout).toContain('registered  2025-11-01 16:00:00 +08:00\n');
    expect(await who.json('device', 'show', 'PB-0002')).toMatchObject({online: false, score: null});
    expect(await who.run(['device', 'show', 'nobody'])).toMatchObject({code: 1, stdout: ''});
    expect((await who.run(['device', 'show'])).code).toBe(2);
    expect((await who.run(['device', 'show', '..'])).code).toBe(2);
  });

  it('show prints what a stranger named himself without coming to life', async () => {
    const id = '\u009b2J盒';
    const {origin} = await answering((_, response) => response.end(envelope({...device(id), device_id: id})));
    for (const more of [[], ['--json']]) {
      const {stdout} = await who.run(['device', 'show', 'x', '--server', origin, ...more]);
      expect(stdout).toContain(more.length === 0 ? '\\x9b2J盒' : '\\u009b2J盒');
      expect(stdout.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
    }
  });

  it('kick and send', async () => {
    expect(await who.json('device', 'kick', 'PB-0001', '--reason', 'maintenance')).toEqual({device_id: 'PB-0001'});
    expect(site.kicked).toEqual(['PB-0001 maintenance']);
    const offline = await who.run(['device', 'kick', 'PB-0002']);
    expect(offline).toMatchObject({code: 1, stderr: expect.stringContaining('PB-0002 is not connected')});
    await who.json('device', 'send', 'PB-0001', '--type', '0x10', '--payload-hex', '0a:02 6F31');
    await who.json('device', 'send', 'PB-0001', '--type', '16');
    expect(site.sent).toEqual([
      {deviceId: 'PB-0001', type: 16, payload: '0a026f31'},
      {deviceId: 'PB-0001', type: 16, payload: ''},
    ]);
    for (const wrong of [
      ['--type', '0x10000'],
      ['--type', 'Ping'],
      ['--type', '-1'],
      ['--type', '1', '--payload-hex', '0a0'],
    ]) {
      expect((await who.run(['device', 'send', 'PB-0001', ...wrong])).code).toBe(2);
    }
  });

  it('says that a key may not do it', async () => {
    const {key, hmacSecret} = await site.keyOf('read');
    const env = {PAYNETCTL_KEY: key, PAYNETCTL_SECRET: hmacSecret};
    const {code, stderr} = await who.run(['device', 'kick', 'PB-0001'], {env});
    expect(code).toBe(1);
    expect(stderr).toContain('Use an API key with a wider scope.');
  });
});

describe('event', () => {
  const order = (no: string): string[] => ['order', 'create', '--device', 'PB-0001', '--coins', '1', '--order-no', no];

  it('list and replay', async () => {
    await who.json(...order('e-1'));
    const byOrder = await who.json('event', 'list', '--order', 'e-1');
    expect((byOrder.events as object[])[0]).toMatchObject({event_id: 'e-1:1', status: 'waiting'});
    const {stdout, stderr} = await who.run(['event', 'list', '--limit', '1']);
    expect(stdout).toMatch(/^EVENT +TYPE +DEVICE +STATUS +RETRIES +CREATED +PUSHED +ERROR\ne-1:\d /);
    expect(stderr).toMatch(/^1 of \d+ events\.\n$/);
    const type = ['--type', 'order.nothing', '--device', 'PB-0001', '--status', 'dead'];
    expect(await who.run(['event', 'list', ...type])).toMatchObject({code: 0, stdout: '', stderr: 'No events.\n'});
    expect(await who.json('event', 'replay', 'e-1:1', 'e-1:1')).toEqual({replayed: 1});
    const unknown = await who.run(['event', 'replay', 'e-1:1', 'nobody:1']);
    expect(unknown).toMatchObject({code: 1, stdout: '', stderr: expect.stringContaining('there is no event nobody:1')});
    expect((await who.run(['event', 'replay'])).code).toBe(2);
    for (const wrong of [
      ['--status', 'gone'],
      ['--order', 'e-1', '--type', 'x'],
      ['--follow', '--status', 'dead'],
    ]) {
      expect((await who.run(['event', 'list', ...wrong])).code).toBe(2);
    }
  });

  it('list --follow prints what happens as lines of JSON until Ctrl-C', async () => {
    const bin = join(import.meta.dirname, '../../bin/run.js');
    const args = ['event', 'list', '--follow', '--order', 'f-1', '--json'];
    const child = spawn(process.execPath, [bin, ...args], {
      env: {...process.env, ...who.env, NODE_ENV: 'production'},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const lines = createInterface({input: child.stdout});
    const first = once(lines, 'line') as Promise<[string]>;
    // It does not say when it listens: what happens before is not its business.
    const timer = setInterval(() => {
      site.ports.tell({kind: 'order', data: {orderNo: 'other', status: 'running'}});
      site.ports.tell({kind: 'order', data: {orderNo: 'f-1', status: 'running'}});
    }, 20);
    onTestFinished(() => clearInterval(timer));
    const [line] = await first;
    expect(JSON.parse(line)).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-\d+$/),
      event: 'order',
      data: {order_no: 'f-1', status: 'running'},
    });
    child.kill('SIGINT');
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it('list --follow tells a person when it is connected, and what happens to a device', async () => {
    const bin = join(import.meta.dirname, '../../bin/run.js');
    const child = spawn(process.execPath, [bin, 'event', 'list', '--follow', '--device', 'PB-0001'], {
      env: {...process.env, ...who.env, NO_COLOR: '1', NODE_ENV: 'production'},
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const [said] = (await once(createInterface({input: child.stderr}), 'line')) as [string];
    expect(said).toBe('Connected; Ctrl-C ends it.');
    const line = once(createInterface({input: child.stdout}), 'line') as Promise<[string]>;
    site.ports.tell({kind: 'device', data: {deviceId: 'PB-0002', online: false}});
    site.ports.tell({kind: 'device', data: {deviceId: 'PB-0001', online: false, model: null, ports: [1, 2]}});
    const [shown] = await line;
    expect(shown).toMatch(/ \+08:00 {2}device {2}device_id=PB-0001 {2}online=no {2}ports=\[1,2\]$/);
    child.kill('SIGTERM');
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});

describe('queue', () => {
  it('lists dead letters, retries, dismisses and cleans', async () => {
    expect(await who.run(['queue', 'list'])).toMatchObject({code: 0, stdout: '', stderr: 'No dead letters.\n'});
    await site.deadLetter('c-1');
    await site.deadLetter('c-2');
    const list = await who.run(['queue', 'list', '--device', 'PB-0001']);
    expect(list.stdout).toMatch(/^COMMAND +DEVICE +ORDER +KIND +STATUS +ATTEMPTS +CREATED +UPDATED +ERROR\n/);
    expect(list.stdout).toMatch(/c-1 +PB-0001 +- +raw +dead +3 .* no answer\n/);
    expect(await who.json('queue', 'retry', 'c-1')).toEqual({id: 'c-1'});
    expect(await who.json('queue', 'dismiss', 'c-2', '--reason', 'scrapped')).toEqual({id: 'c-2'});
    expect(await who.json('queue', 'list')).toMatchObject({dead_letters: [], total: 0});
    expect(await who.json('queue', 'clean')).toMatchObject({removed: expect.any(Number)});
    expect((await who.run(['queue', 'retry', 'c-2'])).code).toBe(1);
    expect((await who.run(['queue', 'dismiss', 'c-2'])).code).toBe(2);
  });

  it('lists what waits', async () => {
    const command = {id: 'c-3', device_id: 'PB-0001', order_no: 'o-1', kind: 'coin', status: 'waiting', attempts: 1};
    const {origin, requests} = await answering((_, response) => {
      response.end(envelope({commands: [{...command, last_error: null}], total: 1, page: 1, page_size: 5}));
    });
    const args = ['queue', 'list', '--waiting', '--device', 'PB-0001', '--limit', '5', '--server', origin];
    expect((await who.run(args)).stdout).toMatch(/c-3 +PB-0001 +o-1 +coin +waiting +1/);
    expect(await who.json(...args)).toMatchObject({commands: [command]});
    expect(requests[0]?.url).toBe('/api/v1/commands?device_id=PB-0001&page_size=5');
  });

  it('says when a list is not where it belongs', async () => {
    const {origin} = await answering((_, response) => response.end(envelope(null)));
    const {code, stderr} = await who.run(['queue', 'list', '--server', origin]);
    expect(code).toBe(1);
    expect(stderr).toContain('The answer has no list of dead_letters.');
  });
});

describe('stats', () => {
  it('shows figures, each by its whole name', async () => {
    const text = 'devices.online  1\ndevices.known   2\nqueue.dead      0\nversion         1.2.3\n';
    expect(await who.run(['stats'])).toMatchObject({code: 0, stdout: text, stderr: ''});
    expect(await who.json('stats')).toEqual({devices: {online: 1, known: 2}, queue: {dead: 0}, version: '1.2.3'});
  });
});

describe('every command', () => {
  const commands = [
    ...['add', 'use', 'list', 'remove'].map((name) => ['context', name]),
    ...['list', 'show', 'kick', 'send'].map((name) => ['device', name]),
    ...['create', 'show', 'list', 'cancel', 'stop', 'discrepancies', 'resolve'].map((name) => ['order', name]),
    ...['list', 'replay'].map((name) => ['event', name]),
    ...['list', 'retry', 'dismiss', 'clean'].map((name) => ['queue', name]),
    ['stats'],
  ];
  it.each(commands)('%s %s has a help page with examples and exit codes', async (...words) => {
    const {code, stdout} = await who.run([...words.filter((word) => typeof word === 'string'), '--help']);
    expect(code).toBe(0);
    for (const part of ['USAGE', 'EXAMPLES', 'Exit codes: 0', '--json']) expect(stdout).toContain(part);
    if (words[0] !== 'context')
      for (const flag of ['--server', '--key-file', '--ca', '--context']) expect(stdout).toContain(flag);
  });
});
