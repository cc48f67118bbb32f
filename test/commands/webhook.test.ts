import {createHmac} from 'node:crypto';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it, onTestFinished} from 'vitest';
import {signRequest} from '../../src/lib/events/index.js';
import {start} from './cli.js';
import {run} from './run.js';

const dir = mkdtempSync(join(tmpdir(), 'paynet-webhook-'));
afterAll(() => rmSync(dir, {recursive: true, force: true}));

const SECRET = 'a-secret-of-the-test';
const EVENT = {event_id: 'o-1:1', event_type: 'order.created', order_no: 'o-1', sequence_no: 1, data: {coins: 3}};

async function post(url: string, secret: string, timestamp = String(Math.floor(Date.now() / 1000))): Promise<number> {
  const body = JSON.stringify(EVENT);
  const request = {method: 'POST', path: new URL(url).pathname, timestamp, nonce: '0badf00d', body: Buffer.from(body)};
  const headers = {
    'x-timestamp': timestamp,
    'x-nonce': request.nonce,
    'x-signature': signRequest(secret, request),
  };
  return (await fetch(url, {method: 'POST', headers, body})).status;
}

describe('simulate webhook', () => {
  it('shows what is signed, once and again, and refuses the rest', async () => {
    const {child, line, err, ended} = start(['simulate', 'webhook', '--addr', '127.0.0.1:0', '--json'], {
      env: {PAYNETCTL_WEBHOOK_SECRET: SECRET},
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const {url} = JSON.parse(await line(/listening/)) as {url: string};
    expect(await post(url, SECRET)).toBe(200);
    expect(JSON.parse(await line(/o-1/))).toMatchObject({
      event: 'order.created',
      eventId: 'o-1:1',
      orderNo: 'o-1',
      sequence: 1,
      data: {coins: 3},
      repeated: false,
    });
    expect(await post(url, SECRET)).toBe(200);
    expect(JSON.parse(await line(/o-1/))).toMatchObject({repeated: true});
    expect(await post(url, 'another-secret')).toBe(401);
    expect(JSON.parse(await line(/refused/))).toMatchObject({reason: 'its signature is wrong'});
    expect(await post(url, SECRET, '1762866601')).toBe(401);
    expect(JSON.parse(await line(/refused/))).toMatchObject({reason: 'its time is too far away'});
    expect(await post(url.replace('webhook', 'elsewhere'), SECRET)).toBe(404);
    expect((await fetch(url)).status).toBe(404);
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    expect(err()).not.toContain(SECRET);
  });

  it('ends after its time', async () => {
    const file = join(dir, 'secret');
    writeFileSync(file, `${SECRET}\n`);
    const args = ['simulate', 'webhook', '--addr', '127.0.0.1:0', '--secret-file', file, '--for', '100ms'];
    expect(await run(args)).toMatchObject({code: 0, stdout: expect.stringContaining('listening'), stderr: ''});
  });

  it.each([
    ['without a secret', []],
    ['with a file that is not there', ['--secret-file', '/nowhere/secret']],
    ['with an unknown flag', ['--nothing']],
  ])('%s is wrong usage', async (_, args) => {
    const env = {PAYNETCTL_WEBHOOK_SECRET: ''};
    const {code, stdout, stderr} = await run(['simulate', 'webhook', ...args], {env});
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('apikey sign', () => {
  const env = {PAYNETCTL_KEY: 'pnk_test', PAYNETCTL_SECRET: SECRET};

  it('prints headers that fit the request, for curl', async () => {
    const body = '{"coins":3}\n';
    const {code, stdout, stderr} = await run(['apikey', 'sign', 'POST', '/api/v1/coin-orders?x=1', '--data', '@-'], {
      env,
      input: body,
    });
    expect([code, stderr]).toEqual([0, '']);
    const headers = Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(': ') as [string, string]),
    );
    expect(headers).toMatchObject({'X-Api-Key': 'pnk_test', 'Content-Type': 'application/json'});
    const {'X-Timestamp': timestamp = '', 'X-Nonce': nonce = '', 'X-Signature': signature} = headers;
    const request = {method: 'POST', path: '/api/v1/coin-orders?x=1', timestamp, nonce, body: Buffer.from(body)};
    expect(signature).toBe(signRequest(SECRET, request));
  });

  it('says with --json what was signed', async () => {
    const {stdout} = await run(['apikey', 'sign', 'GET', '/api/v1/stats', '--json'], {env});
    const {headers, string_to_sign: text} = JSON.parse(stdout);
    expect(text).toMatch(/^GET\n\/api\/v1\/stats\n\d{10}\n[0-9a-f]{32}\ne3b0c44298fc1c14/);
    expect(headers['X-Signature']).toBe(createHmac('sha256', SECRET).update(text).digest('hex'));
    expect(headers).not.toHaveProperty('Content-Type');
  });

  it.each([
    ['another method', ['PUT', '/x']],
    ['a path without its slash', ['GET', 'api/v1/stats']],
    ['no path', ['GET']],
    ['a body that is not there', ['POST', '/x', '--data', '@/nowhere/body']],
  ])('%s is wrong usage', async (_, args) => {
    expect(await run(['apikey', 'sign', ...args], {env})).toMatchObject({code: 2, stdout: ''});
  });

  it('needs a key and its secret', async () => {
    const none = {PAYNETCTL_KEY: '', PAYNETCTL_SECRET: ''};
    expect((await run(['apikey', 'sign', 'GET', '/x'], {env: none})).stderr).toContain('Which key signs?');
    const keyOnly = {PAYNETCTL_KEY: 'pnk_test', PAYNETCTL_SECRET: ''};
    expect((await run(['apikey', 'sign', 'GET', '/x'], {env: keyOnly})).stderr).toContain('Without the secret');
  });
});
