import {once} from 'node:events';
import {createServer} from 'node:net';
import {networkInterfaces} from 'node:os';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {
  CallError,
  type Client,
  type ClientOptions,
  createClient,
  parseServer,
  pathOf,
} from '../../src/lib/client/index.js';
import {issueCertificate, openAuthority} from '../../src/lib/tls/index.js';
import {newAuthority, tempFolder} from '../tls/support.js';
import {answering, envelope} from './answering.js';
import {openSite, type Site} from './site.js';

const hasIPv6 = networkInterfaces().lo?.some(({family}) => family === 'IPv6') ?? false;

let site: Site;
const ends: (() => void | Promise<void>)[] = [];
beforeAll(async () => {
  const limits = {failedAuth: {perSecond: 1000, burst: 1000}};
  site = await openSite((end) => ends.push(end), {limits});
});
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

function clientOf(options: Partial<ClientOptions> = {}): Client {
  const {key, hmacSecret} = site.key;
  return createClient({server: site.origin, key, hmacSecret, timeoutMs: 10_000, ...options});
}

/** A client of some other server. */
const to = (server: string, options: Partial<ClientOptions> = {}): Client =>
  createClient({server, key: 'pnk_x', hmacSecret: 'secret', timeoutMs: 10_000, ...options});

async function errorOf(call: Promise<unknown>): Promise<CallError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CallError);
  return error as CallError;
}

describe('calls to a server', () => {
  it('answers the data, and signs paths, queries and bodies as the server checks them', async () => {
    const client = clientOf();
    expect(await client.get('/api/v1/devices', {online: true, limit: 5})).toMatchObject({
      devices: [{device_id: 'PB-0001', model: '支付盒'}],
      total: 1,
    });
    expect(await client.get(pathOf`/api/v1/devices/${'PB-0001'}`)).toMatchObject({online: true});
    site.devices.set('盒 子/1?', {...site.devices.get('PB-0001')!, deviceId: '盒 子/1?'});
    expect(await client.get(pathOf`/api/v1/devices/${'盒 子/1?'}`)).toMatchObject({device_id: '盒 子/1?'});
    const body = {device_id: 'PB-0001', coins: 3, timeout_seconds: 60, order_no: 'signed-1'};
    expect(await client.post('/api/v1/coin-orders', {body})).toMatchObject({order_no: 'signed-1', coins: 3});
    expect(await client.post('/api/v1/dead-letters/clean')).toEqual({removed: expect.any(Number)});
  });

  it('sends an idempotency key: the same call once more is the same order', async () => {
    const body = {device_id: 'PB-0001', coins: 1, timeout_seconds: 60};
    const place = (): Promise<{order_no: string}> =>
      clientOf().post('/api/v1/coin-orders', {body, idempotencyKey: 'once'});
    expect((await place()).order_no).toBe((await place()).order_no);
  });

  it("throws the server's code, sentence and request id", async () => {
    const error = await errorOf(clientOf().get(pathOf`/api/v1/devices/${'nobody'}`));
    expect(error).toMatchObject({code: 'DEVICE_NOT_FOUND', message: 'there is no device nobody', status: 404});
    expect(error.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(error.isUncertain).toBe(false);
  });

  it('says what to do about a wrong key, a wrong secret, a missing one and a scope', async () => {
    const {key} = site.key;
    const devices = (options: Partial<ClientOptions>): Promise<CallError> =>
      errorOf(clientOf(options).get('/api/v1/devices'));
    expect(await devices({key: `${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`})).toMatchObject({
      code: 'UNAUTHORIZED',
      hint: expect.stringContaining('API key'),
    });
    expect(await devices({hmacSecret: 'wrong'})).toMatchObject({code: 'SIGNATURE_INVALID'});
    expect(await devices({hmacSecret: undefined})).toMatchObject({code: 'SIGNATURE_INVALID'});
    const read = await site.keyOf('read');
    const kick = clientOf(read).post(pathOf`/api/v1/devices/${'PB-0001'}/kick`);
    expect(await errorOf(kick)).toMatchObject({code: 'SCOPE_MISSING', hint: expect.stringContaining('scope')});
  });

  it('throws UNAUTHORIZED once a key is revoked', async () => {
    const made = await site.keyOf('read');
    const client = clientOf(made);
    await client.get('/api/v1/devices');
    await site.keys.revoke(made.id);
    expect((await errorOf(client.get('/api/v1/devices'))).code).toBe('UNAUTHORIZED');
  });
});

describe('a server that cannot be reached', () => {
  it('is named, with what is wrong', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const {port} = listener.address() as {port: number};
    listener.close();
    await once(listener, 'close');
    const error = await errorOf(to(`http://127.0.0.1:${port}`).post('/x'));
    expect(error).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      message: 'The server cannot be reached: nothing listens there.',
      hint: expect.stringContaining(`http://127.0.0.1:${port}`),
      isUncertain: false,
    });
  });

  it('is unreachable too when it hangs up on a request; what was asked for may be done', async () => {
    const {origin} = await answering((request) => request.socket.destroy());
    expect(await errorOf(to(origin).post('/x'))).toMatchObject({code: 'SERVER_UNREACHABLE', isUncertain: true});
    expect(await errorOf(to(origin).get('/x'))).toMatchObject({code: 'SERVER_UNREACHABLE', isUncertain: false});
  });

  it('has a time limit, for the head of an answer and for all of it', async () => {
    const {origin} = await answering((request, response) => {
      if (request.url === '/half') response.writeHead(200, {'content-length': 100}).write('{');
    });
    for (const path of ['/silent', '/half']) {
      expect(await errorOf(to(origin, {timeoutMs: 150}).post(path))).toMatchObject({
        code: 'SERVER_TIMEOUT',
        message: 'The server did not answer within 0.15 s.',
        hint: expect.stringContaining(origin),
        isUncertain: true,
      });
    }
  });

  it('is not waited for after the signal', async () => {
    const controller = new AbortController();
    const {origin} = await answering(() => controller.abort());
    const {signal} = controller;
    expect((await errorOf(to(origin, {signal}).get('/x'))).code).toBe('CALL_ABORTED');
    expect((await errorOf(to(origin, {signal}).get('/x'))).code).toBe('CALL_ABORTED');
  });
});

describe('answers that are none', () => {
  const wrong: [string, number, string, string][] = [
    ['HTML', 200, '<html>', 'ANSWER_INVALID'],
    ['a proxy that has no server', 502, '<html>', 'ANSWER_INVALID'],
    ['JSON that is no envelope', 200, '[]', 'ANSWER_INVALID'],
    ['null', 200, 'null', 'ANSWER_INVALID'],
    ['an envelope without data', 200, '{"code":0}', 'ANSWER_INVALID'],
    ['an error that says 200', 200, '{"code":1,"error_code":"X"}', 'ANSWER_INVALID'],
    ['an error code that is no code', 400, '{"code":1,"error_code":"\\u001b[2J"}', 'ANSWER_INVALID'],
  ];
  it.each(wrong)('%s', async (_, status, body, code) => {
    const {origin} = await answering((_request, response) => response.writeHead(status).end(body));
    const error = await errorOf(to(origin).get('/x'));
    expect(error).toMatchObject({code, status, message: expect.stringContaining(`HTTP ${status}`)});
    expect(error.message).toContain(origin);
  });

  it('a redirect is refused: the key goes nowhere else', async () => {
    const other = await answering((_, response) => response.end(envelope({})));
    const {origin} = await answering((_, response) => response.writeHead(307, {location: other.origin}).end());
    expect((await errorOf(to(origin).get('/x'))).code).toBe('ANSWER_REDIRECT');
    expect(other.requests).toEqual([]);
  });

  it('an answer of 16 MiB is read, a larger one refused', async () => {
    const shell = envelope('').length;
    const {origin} = await answering((request, response) => {
      const extra = request.url === '/over' ? 1 : 0;
      response.end(envelope('x'.repeat(16 * 1024 * 1024 - shell + extra)));
    });
    expect(await to(origin).get<string>('/fits')).toHaveLength(16 * 1024 * 1024 - shell);
    expect(await errorOf(to(origin).get('/over'))).toMatchObject({code: 'ANSWER_TOO_LARGE'});
  });
});

describe('a server that is busy', () => {
  const busy = JSON.stringify({
    code: 42901,
    message: 'busy',
    data: null,
    error_code: 'RATE_LIMITED',
    request_id: 'r-7',
  });

  it.each([429, 503])('is asked once more after Retry-After (%i)', async (status) => {
    const {origin, requests} = await answering((_, response) => {
      if (requests.length > 1) response.end(envelope('now'));
      else response.writeHead(status, {'retry-after': '0'}).end(busy);
    });
    expect(await to(origin).get('/x')).toBe('now');
    const nonces = requests.map(({headers}) => headers['x-nonce']);
    expect(new Set(nonces).size).toBe(2);
  });

  const once: [string, 'get' | 'post', number, string | undefined, number][] = [
    ['a second time', 'get', 429, '0', 2],
    ['for a POST', 'post', 429, '0', 1],
    ['without Retry-After', 'get', 503, undefined, 1],
    ['for longer than half a minute', 'get', 503, '31', 1],
    ['after another error', 'get', 500, '0', 1],
  ];
  it.each(once)('is not asked again %s', async (_, method, status, wait, times) => {
    const {origin, requests} = await answering((_request, response) => {
      if (wait !== undefined) response.setHeader('retry-after', wait);
      response.writeHead(status).end(busy);
    });
    const error = await errorOf(to(origin)[method]('/x'));
    expect(error).toMatchObject({code: 'RATE_LIMITED', message: 'busy', requestId: 'r-7'});
    expect(requests).toHaveLength(times);
  });

  it('is not waited for after the signal', async () => {
    const controller = new AbortController();
    const {origin, requests} = await answering((_, response) => {
      response.writeHead(429, {'retry-after': '30'}).end(busy, () => setImmediate(() => controller.abort()));
    });
    await errorOf(to(origin, {signal: controller.signal}).get('/x'));
    expect(requests).toHaveLength(1);
  });
});

describe('https', () => {
  it('trusts the private authority that it is given, and no other', async () => {
    const folder = await tempFolder();
    await newAuthority(folder);
    const {certificatePem, privateKeyPem} = await issueCertificate(await openAuthority(`${folder}/ca`), {
      cn: 'localhost',
      usage: 'server',
      sans: ['127.0.0.1'],
    });
    const ca = (await openAuthority(`${folder}/ca`)).certificate.toString();
    const server = await answering((_, response) => response.end(envelope('safe')), {
      cert: certificatePem,
      key: privateKeyPem,
    });
    expect(await to(server.origin, {ca}).get('/x')).toBe('safe');
    const error = await errorOf(to(server.origin).post('/x'));
    expect(error).toMatchObject({code: 'SERVER_UNREACHABLE', isUncertain: false});
    expect(error.message).toContain('unknown authority');
    expect(error.hint).toContain('--ca');
    expect(server.requests).toHaveLength(1);
  });

  it('is not spoken to a server that does not', async () => {
    const {port} = await answering((_, response) => response.end(envelope('open')));
    expect((await errorOf(to(`https://127.0.0.1:${port}`).get('/x'))).code).toBe('SERVER_UNREACHABLE');
  });
});

describe('addresses, paths and keys', () => {
  it.each(['paynet.example.com', 'ftp://host', 'http://user:pass@host', 'http://host/base', 'http://host/?a=1', ''])(
    'refuses the server %j',
    (text) => {
      expect(() => parseServer(text)).toThrow(expect.objectContaining({code: 'USAGE'}));
    },
  );

  it('never repeats a password', () => {
    expect(() => parseServer('http://user:hunter2@host')).not.toThrow(/hunter2/);
  });

  it.skipIf(!hasIPv6)('reaches an IPv6 address', async () => {
    const {port} = await answering((_, response) => response.end(envelope('six')), undefined, '::1');
    expect(await to(`http://[::1]:${port}`).get('/x')).toBe('six');
  });

  it.each(['', '.', '..'])('refuses the id %j, which is another path', (id) => {
    expect(() => pathOf`/api/v1/devices/${id}/kick`).toThrow(expect.objectContaining({code: 'USAGE'}));
  });

  it.each(['', 'a b', 'a\nb', '键'])('refuses the key %j', (key) => {
    expect(() => to('http://host', {key})).toThrow(expect.objectContaining({code: 'USAGE'}));
  });
});
