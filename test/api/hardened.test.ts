import {spawn} from 'node:child_process';
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {type IncomingMessage, type OutgoingHttpHeaders, request} from 'node:http';
import {createRequire} from 'node:module';
import {createInterface} from 'node:readline';
import {fileURLToPath, pathToFileURL} from 'node:url';
import {expect, it, onTestFinished} from 'vitest';
import type {CreatedKey} from '../../src/lib/api/index.js';
import {signRequest} from '../../src/lib/events/index.js';
import {type Answer, ORDER, send, tempFile} from './support.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const PROGRAM = fileURLToPath(new URL('./hardened-process.ts', import.meta.url));

it('serves where no code may be made out of strings', async () => {
  const flags = ['--disallow-code-generation-from-strings', '--import', TSX];
  const child = spawn(process.execPath, [...flags, PROGRAM, tempFile()], {stdio: ['pipe', 'pipe', 'inherit']});
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const [line] = await once(createInterface(child.stdout), 'line');
  const {port, key} = JSON.parse(line as string) as {port: number; key: CreatedKey};

  const signed = (method: string, path: string, body = ''): OutgoingHttpHeaders => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const nonce = randomBytes(16).toString('hex');
    return {
      'x-api-key': key.key,
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-signature': signRequest(key.hmacSecret, {method, path, timestamp, nonce, body: Buffer.from(body)}),
      ...(body !== '' && {'content-type': 'application/json'}),
    };
  };
  const call = (method: string, path: string, body = ''): Promise<Answer> =>
    send(port, method, path, signed(method, path, body), body);

  const shown = await call('GET', `/api/v1/coin-orders/${ORDER.orderNo}`);
  expect([shown.status, shown.json.data.order_no]).toEqual([200, ORDER.orderNo]);
  const order = {device_id: 'PB-0001', coins: 3, timeout_seconds: 60};
  expect((await call('POST', '/api/v1/coin-orders', JSON.stringify(order))).status).toBe(202);
  const wrong = await call('POST', '/api/v1/coin-orders', JSON.stringify({...order, coins: '3'}));
  expect([wrong.status, wrong.json.message]).toEqual([400, 'coins (body) must be integer']);
  expect((await call('GET', '/api/v1/devices?limit=0')).json.message).toBe('limit (query) must be at least 1');
  expect((await call('GET', '/api/v1/nothing')).json.error_code).toBe('NOT_FOUND');
  expect((await send(port, 'GET', '/api/openapi.json')).json.openapi).toBe('3.1.0');
  expect((await send(port, 'GET', '/api/docs')).text).toContain('<!doctype html>');

  const stream = request({port, path: '/api/v1/stream', headers: signed('GET', '/api/v1/stream'), agent: false}).end();
  onTestFinished(() => {
    stream.destroy();
  });
  const [events] = (await once(stream, 'response')) as [IncomingMessage];
  child.stdin.write('\n');
  let told = '';
  for await (const chunk of events) {
    told += chunk;
    if (told.includes('event: order')) break;
  }
  expect(told).toContain('data: {"order_no":"A-1"}');
});
