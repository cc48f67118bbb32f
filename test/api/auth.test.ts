import {createHash, randomBytes} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {createApiKeys} from '../../src/lib/api/index.js';
import {createKey} from '../../src/lib/api/operations.js';
import {seal} from '../../src/lib/api/sealed.js';
import {signRequest, stringToSign} from '../../src/lib/events/index.js';
import {MASTER_KEY, NOW, openAt, send, sharedTestApi, startTestApi, tempFile} from './support.js';

const shared = sharedTestApi();

const SECRET = 'test-secret';
const CHARGE = {
  method: 'POST',
  path: '/api/v1/third/devices/82241218000382/charge',
  timestamp: '1762863000',
  nonce: 'a1b2c3d4',
  body: Buffer.from('{"port_no":1,"charge_mode":1,"amount":100,"duration_minutes":60}'),
};
const QUERY = {...CHARGE, method: 'GET', path: '/api/v1/third/orders/THD1762863000001', body: Buffer.alloc(0)};
const CHARGE_SIGNATURE = '6655b1acb1ec695222c1c5c025120f3d4066fedb30f72bff07b199d15aec3519';
const QUERY_SIGNATURE = 'c41e19d5f9c176de87bda85fa5a0d64cb0aa08130d448085c16efe2b42843810';

describe('the signature', () => {
  it('is that of the worked examples', () => {
    expect(CHARGE.body.length).toBe(64);
    expect(stringToSign(CHARGE)).toBe(
      'POST\n/api/v1/third/devices/82241218000382/charge\n1762863000\na1b2c3d4\nc803db190ea2ebb0eea9df03dcbd168751ce0cbf0e0daa002e02cc0dc5b2c703',
    );
    expect(signRequest(SECRET, CHARGE)).toBe(CHARGE_SIGNATURE);
    expect(signRequest(SECRET, QUERY)).toBe(QUERY_SIGNATURE);
  });

  it('of the worked examples is taken over HTTP', async () => {
    const path = tempFile();
    const store = await openAt(path);
    const keys = createApiKeys({store, masterKey: MASTER_KEY, now: () => NOW});
    const made = await keys.create({name: 'hash of this one is borrowed', scope: 'admin'});
    const row = await keys.list();
    expect(row).toHaveLength(1);
    const id = '0123456789ab';
    const key = `pnk_${id}_${'A'.repeat(43)}`;
    await store.run(createKey, {
      id,
      name: 'worked example',
      secretHash: createHash('sha256').update(key).digest('hex'),
      hmacSecretEncrypted: seal(MASTER_KEY, id, SECRET),
      scopes: 'read',
      createdAt: NOW,
      expiresAt: null,
    });
    const {port} = await startTestApi({store, keys});
    expect(made.id).not.toBe(id);
    const headers = {'x-api-key': key, 'x-timestamp': '1762863000', 'x-nonce': 'a1b2c3d4'};
    const query = await send(port, 'GET', QUERY.path, {...headers, 'x-signature': QUERY_SIGNATURE});
    expect([query.status, query.json.data.order_no]).toEqual([200, 'THD1762863000001']);
    // The path is not there; a wrong signature would have been told first.
    const json = {'content-type': 'application/json', 'content-length': CHARGE.body.length};
    const wrong = await send(
      port,
      'POST',
      CHARGE.path,
      {...headers, ...json, 'x-signature': QUERY_SIGNATURE},
      CHARGE.body,
    );
    expect(wrong.json.error_code).toBe('SIGNATURE_INVALID');
    const charge = await send(
      port,
      'POST',
      CHARGE.path,
      {...headers, ...json, 'x-nonce': 'a1b2c3d4', 'x-signature': CHARGE_SIGNATURE},
      CHARGE.body,
    );
    // The nonce is that of the first example: both are signed rightly, and one nonce is good once.
    expect(charge.json.error_code).toBe('NONCE_REPLAYED');
  });

  const GOOD = signRequest(SECRET, QUERY);
  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one that is too short', GOOD.slice(0, 63)],
    ['one that is too long', `${GOOD}0`],
    ['one in upper case', 'upper'],
    ['one with a letter that is no digit', `g${GOOD.slice(1)}`],
    ['one with a bad digit in the middle', `${GOOD.slice(0, 32)}zz${GOOD.slice(34)}`],
    ['one with other bytes', '\u00ff'.repeat(64)],
    ['one of zeros', '0'.repeat(64)],
    ['one of another request', GOOD],
  ])('is refused: %s', async (_, given) => {
    const {port, key, ports} = shared();
    const nonce = randomBytes(12).toString('hex');
    const request = {
      method: 'GET',
      path: '/api/v1/stats',
      timestamp: '1762863000',
      nonce,
      body: Buffer.alloc(0),
    };
    const right = signRequest(key.hmacSecret, request);
    const headers = {
      'x-api-key': key.key,
      'x-timestamp': '1762863000',
      'x-nonce': nonce,
      ...(given !== undefined && {'x-signature': given === 'upper' ? right.toUpperCase() : given}),
    };
    const answer = await send(port, 'GET', request.path, headers);
    expect([answer.status, answer.json.error_code]).toEqual([403, 'SIGNATURE_INVALID']);
    expect(ports.asked).toEqual([]);
    // It has not used up the nonce.
    expect((await send(port, 'GET', request.path, {...headers, 'x-signature': right})).status).toBe(200);
  });

  it('covers the query and the bytes of the body as they were received', async () => {
    const {call, key, port, clock} = shared();
    expect((await call('GET', '/api/v1/devices?limit=5&offset=0')).status).toBe(200);
    expect((await call('GET', '/api/v1/devices?limit=%35')).status).toBe(200);
    const timestamp = String(clock.now / 1000);
    const nonce = 'n'.repeat(16);
    const body = Buffer.from('{"reason":"a"}');
    const path = '/api/v1/devices/PB-0001/kick';
    const signature = signRequest(key.hmacSecret, {method: 'POST', path, timestamp, nonce, body});
    const headers = {'x-api-key': key.key, 'x-timestamp': timestamp, 'x-nonce': nonce, 'x-signature': signature};
    const json = {...headers, 'content-type': 'application/json'};
    for (const other of ['{"reason":"b"}', '{ "reason":"a"}', '']) {
      const answer = await send(port, 'POST', path, json, other);
      expect(answer.json.error_code).toBe('SIGNATURE_INVALID');
    }
    expect((await send(port, 'POST', path, json, body)).status).toBe(202);
  });

  it('is asked for before a word of the body is read', async () => {
    const {call, port, key} = shared();
    const bad = await send(
      port,
      'POST',
      '/api/v1/coin-orders',
      {'x-api-key': key.key, 'content-type': 'application/json'},
      '{no json',
    );
    expect(bad.json.error_code).toBe('SIGNATURE_INVALID');
    expect((await call('POST', '/api/v1/coin-orders', {raw: '{no json'})).json.error_code).toBe('INVALID_PARAMETER');
  });

  it('may be left out where it is not required, but is never ignored', async () => {
    const {call} = await startTestApi({requireHmac: false});
    expect((await call('GET', '/api/v1/stats', {signed: false})).status).toBe(200);
    expect((await call('GET', '/api/v1/stats', {signed: false, headers: {'x-signature': '0'}})).status).toBe(403);
  });
});

describe('time and nonce', () => {
  it.each([
    [-301, 403],
    [-300, 200],
    [300, 200],
    [301, 403],
  ])('a time that is off by %d s: %d', async (offset, status) => {
    const {call} = shared();
    const answer = await call('GET', '/api/v1/stats', {timestamp: NOW / 1000 + offset});
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.json.error_code).toBe('TIMESTAMP_EXPIRED');
  });

  it.each(['', 'soon', '1762863000.5', '0x6913', '-5', ' ', '1e9', '9'.repeat(30)])(
    'no time: "%s"',
    async (timestamp) => {
      const {call} = shared();
      expect((await call('GET', '/api/v1/stats', {timestamp})).json.error_code).toBe(
        // What HTTP itself strips was signed otherwise.
        timestamp === ' ' ? 'SIGNATURE_INVALID' : 'TIMESTAMP_EXPIRED',
      );
    },
  );

  it('of what changes something is good once, also after a restart, and again when its time is over', async () => {
    const path = tempFile();
    const first = await startTestApi({path});
    const {key} = first;
    const nonce = 'abcdefgh12345678';
    const kick = '/api/v1/devices/PB-0001/kick';
    expect((await first.call('POST', kick, {nonce})).status).toBe(202);
    expect((await first.call('POST', kick, {nonce})).json.error_code).toBe('NONCE_REPLAYED');
    await first.api.close();
    await first.store.close();

    const second = await startTestApi({path});
    expect((await second.call('POST', kick, {nonce, key})).json.error_code).toBe('NONCE_REPLAYED');
    // Of another key it is another nonce.
    expect((await second.call('POST', kick, {nonce})).status).toBe(202);
    second.clock.now += 599_999;
    expect((await second.call('POST', kick, {nonce, key})).json.error_code).toBe('NONCE_REPLAYED');
    second.clock.now += 1;
    expect((await second.call('POST', kick, {nonce, key})).status).toBe(202);
  });

  it('of a read is good once where it was read, and is kept nowhere else', async () => {
    const path = tempFile();
    const first = await startTestApi({path});
    const {key, clock} = first;
    const nonce = 'abcdefgh12345678';
    expect((await first.call('GET', '/api/v1/stats', {nonce})).status).toBe(200);
    expect((await first.call('GET', '/api/v1/stats', {nonce})).json.error_code).toBe('NONCE_REPLAYED');
    expect((await first.call('POST', '/api/v1/devices/PB-0001/kick', {nonce})).json.error_code).toBe('NONCE_REPLAYED');
    clock.now += 600_000;
    expect((await first.call('GET', '/api/v1/stats', {nonce})).status).toBe(200);
    await first.api.close();
    await first.store.close();

    const second = await startTestApi({path});
    expect((await second.call('GET', '/api/v1/stats', {nonce, key})).status).toBe(200);
  });

  it.each([
    ['GET', '/api/v1/stats', 200],
    ['POST', '/api/v1/devices/PB-0001/kick', 202],
  ])('lets one of many %s through that come with one nonce at the same time', async (method, path, status) => {
    const {call} = shared();
    const nonce = `same-of-${method}`;
    const answers = await Promise.all(Array.from({length: 20}, () => call(method, path, {nonce})));
    expect(answers.filter((answer) => answer.status === status)).toHaveLength(1);
  });

  it('is refused when it is no nonce', async () => {
    const {call} = shared();
    for (const nonce of ['', 'short', 'n'.repeat(129), 'with space in it']) {
      expect((await call('GET', '/api/v1/stats', {nonce})).json.error_code).toBe('INVALID_PARAMETER');
    }
  });
});

describe('who calls', () => {
  it('is told by X-Api-Key or Bearer', async () => {
    const {call, key} = shared();
    const bearer = {'x-api-key': undefined, authorization: `Bearer ${key.key}`};
    expect((await call('GET', '/api/v1/stats', {headers: bearer})).status).toBe(200);
    const both = {authorization: `Bearer ${key.key}x`};
    expect((await call('GET', '/api/v1/stats', {headers: both})).status).toBe(401);
  });

  it.each([
    ['no key', undefined],
    ['an empty key', ''],
    ['a word', 'secret'],
    ['an unknown key', `pnk_000000000000_${'A'.repeat(43)}`],
  ])('is refused: %s', async (_, given) => {
    const {call} = shared();
    const answer = await call('GET', '/api/v1/stats', {headers: {'x-api-key': given}});
    expect([answer.status, answer.json.error_code]).toEqual([401, 'UNAUTHORIZED']);
  });

  it('is refused with a key whose end differs', async () => {
    const {call, key} = shared();
    const last = key.key.endsWith('A') ? 'B' : 'A';
    const answer = await call('GET', '/api/v1/stats', {headers: {'x-api-key': `${key.key.slice(0, -1)}${last}`}});
    expect(answer.status).toBe(401);
  });

  it('learns nothing about paths that are not there', async () => {
    const {port, call} = shared();
    expect((await send(port, 'GET', '/api/v1/secret')).status).toBe(401);
    expect((await call('GET', '/api/v1/secret')).json.error_code).toBe('NOT_FOUND');
    expect((await send(port, 'GET', '/elsewhere')).status).toBe(404);
  });

  it('may do what the scope of the key says', async () => {
    const {call, keyOf} = shared();
    const read = await keyOf('read');
    const write = await keyOf('write');
    const order = {body: {device_id: 'PB-0001', coins: 1, timeout_seconds: 60}};
    const kick = '/api/v1/devices/PB-0001/kick';
    expect((await call('GET', '/api/v1/stats', {key: read})).status).toBe(200);
    const refused = await call('POST', '/api/v1/coin-orders', {key: read, ...order});
    expect([refused.status, refused.json.error_code]).toEqual([403, 'SCOPE_MISSING']);
    expect((await call('POST', '/api/v1/coin-orders', {key: write, ...order})).status).toBe(202);
    expect((await call('POST', kick, {key: write})).status).toBe(403);
    expect((await call('POST', kick)).status).toBe(202);
  });
});
