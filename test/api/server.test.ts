import {once} from 'node:events';
import {connect} from 'node:net';
import {text} from 'node:stream/consumers';
import {describe, expect, it} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {literalPorts, NOW, ORDER, send, sharedTestApi, startTestApi} from './support.js';

const shared = sharedTestApi();

const ORDER_BODY = {order_no: 'A-1', device_id: 'PB-0001', coins: 3, timeout_seconds: 60};

describe('an answer', () => {
  it('is an envelope and carries the number of the request', async () => {
    const {call} = shared();
    const answer = await call('GET', `/api/v1/coin-orders/${ORDER.orderNo}`, {headers: {'x-request-id': 'mine-1'}});
    expect(answer.headers['x-request-id']).toBe('mine-1');
    expect(answer.json).toEqual({
      code: 0,
      message: 'ok',
      request_id: 'mine-1',
      timestamp: NOW / 1000,
      data: {
        order_no: 'THD1762863000001',
        device_id: 'PB-0001',
        kind: 'coin',
        status: 'created',
        status_code: null,
        port_no: null,
        charge_mode: null,
        amount_cent: null,
        coins: 3,
        timeout_seconds: 60,
        progress: 0,
        energy_wh: null,
        duration_seconds: null,
        error: null,
        end_reason: null,
        attempts: 0,
        created_at: '2025-11-11T12:10:00.000Z',
        sent_at: null,
        started_at: null,
        updated_at: '2025-11-11T12:10:00.000Z',
        ended_at: null,
      },
    });
    const other = await call('GET', '/api/v1/stats', {headers: {'x-request-id': 'not {fit}'}});
    expect(other.json.request_id).toMatch(/^[0-9a-f-]{36}$/);
    expect(other.headers['x-request-id']).toBe(other.json.request_id);
  });

  it('of an error tells its code in three ways', async () => {
    const {call} = shared();
    const {status, json} = await call('GET', '/api/v1/coin-orders/none', {headers: {'x-request-id': 'r'}});
    expect(status).toBe(404);
    expect(json).toEqual({
      code: 40403,
      message: 'there is no order none',
      data: null,
      request_id: 'r',
      timestamp: NOW / 1000,
      error: 'order_not_found',
      error_code: 'ORDER_NOT_FOUND',
    });
  });

  it('to another method names those that are there', async () => {
    const {call} = shared();
    const answer = await call('DELETE', '/api/v1/coin-orders/A-1');
    expect([answer.status, answer.json.error_code, answer.headers.allow]).toEqual([405, 'METHOD_NOT_ALLOWED', 'GET']);
    expect((await call('DELETE', '/api/v1/coin-orders')).headers.allow).toBe('POST, GET');
  });
});

describe('a failure', () => {
  it('of a port shows nothing of the inside, and is logged', async () => {
    const ports = literalPorts();
    const stats = async () => {
      throw new Error('SELECT * FROM secrets at /srv/data/paynet.db');
    };
    const {call, log} = await startTestApi({ports: {...ports, stats}});
    const answer = await call('GET', '/api/v1/stats');
    expect([answer.status, answer.json.error_code]).toEqual([500, 'INTERNAL']);
    expect(answer.text).not.toMatch(/SELECT|srv|Error:/);
    expect(log.lines.filter(({level}) => level === 'error')).toHaveLength(1);
  });

  it.each([
    ['STORE_FULL', 503, 'STORAGE_FULL'],
    ['STORE_BUSY', 503, 'UNAVAILABLE'],
    ['STORE_UNCERTAIN', 503, 'UNCERTAIN'],
    ['ORDER_CONFLICT', 409, 'IDEMPOTENCY_CONFLICT'],
    ['HOOK_REFUSED', 403, 'ORDER_REFUSED'],
    ['SOMETHING_ELSE', 500, 'INTERNAL'],
    ['constructor', 500, 'INTERNAL'],
  ])('%s of the floors below is %d %s', async (code, status, shown) => {
    const ports = literalPorts();
    const stats = async () => {
      throw new PaynetError(code, 'the file /srv/paynet.db');
    };
    const {call} = await startTestApi({ports: {...ports, stats}});
    const answer = await call('GET', '/api/v1/stats');
    expect([answer.status, answer.json.error_code]).toEqual([status, shown]);
    expect(answer.text).not.toContain('srv');
    expect(answer.headers['retry-after'] !== undefined).toBe(status === 503);
  });
});

describe('a request', () => {
  it.each([
    ['an unknown field', {...ORDER_BODY, extra: 1}],
    ['an amount as text', {...ORDER_BODY, coins: '3'}],
    ['a fraction', {...ORDER_BODY, coins: 1.5}],
    ['no coin', {...ORDER_BODY, coins: 0}],
    ['a negative amount', {...ORDER_BODY, coins: -1}],
    ['more than the wire can say', {...ORDER_BODY, coins: 4_294_967_296}],
    ['an amount that is true', {...ORDER_BODY, coins: true}],
    ['an amount that is null', {...ORDER_BODY, coins: null}],
    ['an amount in a list', {...ORDER_BODY, coins: [3]}],
    ['no device', {coins: 3, timeout_seconds: 60}],
    ['a device with a line feed', {...ORDER_BODY, device_id: 'PB\n1'}],
    ['a long order number', {...ORDER_BODY, order_no: 'x'.repeat(33)}],
    ['a list', []],
    ['null', null],
  ])('with %s is refused', async (_, body) => {
    const {call, ports} = shared();
    const answer = await call('POST', '/api/v1/coin-orders', {body});
    expect([answer.status, answer.json.error_code]).toEqual([400, 'INVALID_PARAMETER']);
    expect(ports.asked).toEqual([]);
  });

  it.each([
    '{"__proto__":{"admin":true},"device_id":"d","coins":1,"timeout_seconds":1}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"\\u005f_proto__":1}',
    '{"\\ud800":1}',
    '{',
    'null x',
    '\u0000',
    `${'['.repeat(200_000)}${']'.repeat(200_000)}`,
    `{"reason":${'{"a":'.repeat(40)}1${'}'.repeat(40)}}`,
  ])('with a hostile body is refused (%#)', async (raw) => {
    const {call, ports} = shared();
    const answer = await call('POST', '/api/v1/coin-orders', {raw});
    expect([answer.status, answer.json.error_code]).toEqual([400, 'INVALID_PARAMETER']);
    expect(ports.asked).toEqual([]);
    expect(({} as {admin?: boolean}).admin).toBeUndefined();
  });

  it.each([
    '/api/v1/coin-orders?page=0',
    '/api/v1/coin-orders?page=1e3',
    '/api/v1/coin-orders?page=0x10',
    '/api/v1/coin-orders?page=',
    '/api/v1/coin-orders?page=1&page=2',
    '/api/v1/coin-orders?page_size=101',
    '/api/v1/coin-orders?other=1',
    '/api/v1/coin-orders?__proto__=1',
    '/api/v1/devices?online=yes',
    '/api/v1/devices?limit=1001',
    '/api/v1/events?status=lost',
    '/api/v1/coin-orders/bad%20number',
    '/api/v1/coin-orders/%ff',
  ])('%s is refused', async (path) => {
    const {call} = shared();
    expect((await call('GET', path)).json.error_code).toBe('INVALID_PARAMETER');
  });

  it('with another type of body is refused', async () => {
    const {call} = shared();
    for (const type of ['text/plain', 'application/json2', 'application/x-www-form-urlencoded', ' ', 'application']) {
      const answer = await call('POST', '/api/v1/coin-orders', {body: ORDER_BODY, headers: {'content-type': type}});
      expect([type, answer.json.error_code]).toEqual([type, 'UNSUPPORTED_MEDIA_TYPE']);
    }
  });

  it('that is too large is refused before its key is looked at, told or not', async () => {
    const {call, port, key} = shared();
    const raw = Buffer.alloc(1024 * 1024 + 1, ' ');
    const told = await call('POST', '/api/v1/coin-orders', {raw});
    expect([told.status, told.json.error_code]).toEqual([413, 'PAYLOAD_TOO_LARGE']);
    const headers = {'x-api-key': key.key, 'content-type': 'application/json', 'transfer-encoding': 'chunked'};
    expect((await send(port, 'POST', '/api/v1/coin-orders', headers, raw)).status).toBe(413);
    const stranger = {'content-type': 'application/json', 'content-length': raw.length};
    expect((await send(port, 'POST', '/api/v1/coin-orders', stranger, raw)).status).toBe(413);
  });

  it('with too many headers is refused', async () => {
    const {port} = shared();
    const answer = await send(port, 'GET', '/api/v1/stats', {'x-more': 'x'.repeat(20_000)});
    expect([answer.status, answer.json.error_code]).toEqual([431, 'HEADERS_TOO_LARGE']);
  });

  it('that is none is told so', async () => {
    const {port} = shared();
    const socket = connect(port, '127.0.0.1');
    socket.end('NONSENSE\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 .*"error_code":"INVALID_PARAMETER"/s);
  });

  it.each([
    ['headers', 'GET /api/v1/stats HTTP/1.1\r\nhost: x\r\n'],
    [
      'body',
      'POST /api/v1/coin-orders HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\ncontent-type: application/json\r\nx-api-key: KEY\r\n\r\n{',
    ],
  ])('whose %s do not come is ended', async (_, begun) => {
    const {port, key} = await startTestApi({limits: {headersMs: 150, requestMs: 300}});
    const socket = connect(port, '127.0.0.1');
    socket.write(begun.replace('KEY', key.key));
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 .*"error_code":"REQUEST_TIMEOUT"/s);
  });

  it('whose sender goes away in the middle is no failure of the server', async () => {
    const {api, port, key, log} = await startTestApi();
    const socket = connect(port, '127.0.0.1');
    const head = ['POST /api/v1/coin-orders HTTP/1.1', 'host: x', `x-api-key: ${key.key}`, 'expect: 100-continue'];
    socket.write(`${[...head, 'content-type: application/json', 'content-length: 10'].join('\r\n')}\r\n\r\n`);
    // The server reads it by now.
    await once(socket, 'data');
    socket.destroy();
    await api.close();
    expect(log.lines.filter(({level}) => level === 'error' || level === 'warn')).toEqual([]);
  });

  it('that never begins is ended', async () => {
    const {port} = await startTestApi({limits: {connectionMs: 150, headersMs: 60_000, requestMs: 60_000}});
    const socket = connect(port, '127.0.0.1');
    await text(socket);
    expect(socket.readableEnded).toBe(true);
  });
});

describe('the end', () => {
  it('lets a request finish, takes no other, and may come twice', async () => {
    const ports = literalPorts();
    let release = (): void => {};
    let entered = (): void => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const stats = async () => {
      entered();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return {done: 1};
    };
    const {api, call, port} = await startTestApi({ports: {...ports, stats}});
    const answer = call('GET', '/api/v1/stats');
    await inside;
    const closed = api.close();
    expect(api.close()).toBe(closed);
    await expect(send(port, 'GET', '/api/docs')).rejects.toThrow('ECONNREFUSED');
    release();
    expect((await answer).json.data).toEqual({done: 1});
    await closed;
    expect(ports.subscribers.size).toBe(0);
  });

  it('tells a connection that is kept that this answer was its last', async () => {
    const ports = literalPorts();
    let release = (): void => {};
    let entered = (): void => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const stats = async () => {
      entered();
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return {};
    };
    const {api, port, key} = await startTestApi({ports: {...ports, stats}, requireHmac: false});
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET /api/v1/stats HTTP/1.1\r\nhost: x\r\nx-api-key: ${key.key}\r\n\r\n`);
    await inside;
    const closed = api.close();
    release();
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/i);
    await closed;
  });

  it('does not wait for ever', async () => {
    const ports = literalPorts();
    let entered = (): void => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const stats = () => {
      entered();
      return new Promise<never>(() => {});
    };
    const {api, call} = await startTestApi({ports: {...ports, stats}, limits: {drainMs: 50}});
    const answer = call('GET', '/api/v1/stats');
    answer.catch(() => undefined);
    await inside;
    await api.close();
    await expect(answer).rejects.toThrow();
  });

  it('a port that is taken is told', async () => {
    const {port} = shared();
    await expect(startTestApi({addr: `127.0.0.1:${port}`})).rejects.toMatchObject({code: 'PORT_IN_USE'});
  });
});
