import {once} from 'node:events';
import {createServer} from 'node:net';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createClientRoom, PaynetClient} from '../../src/lib/device/index.js';
import {openSite, type Site} from '../e2e/site.js';
import {FLOW, next, trace} from './trace.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

describe('a client', () => {
  it('registers once, and takes up its session when it comes back', async () => {
    const client = await site.client('device001');
    const seen = trace(client, true);
    await client.start(undefined, FLOW);
    expect(client.online).toBe(true);
    expect(client.deviceId).toBe('device001');
    client.drop();
    expect(await next(client, 'online')).toMatchObject({deviceId: 'device001', resumed: true, tlsResumed: true});
    await client.stop();
    expect(seen).toEqual([
      'sent RegisterReq',
      'received RegisterRsp',
      'sent LoginReq',
      'received LoginRsp',
      'online',
      'offline',
      'retry',
      'sent LoginReq',
      'received LoginRsp',
      'online resumed',
      'offline',
    ]);
    expect(client.online).toBe(false);
  });

  it('that knows its id logs in at once', async () => {
    const client = await site.client('device002');
    const seen = trace(client, true);
    await client.start(undefined, {login: {deviceId: 'device002'}});
    expect(seen).toEqual(['sent LoginReq', 'received LoginRsp', 'online']);
    await client.stop();
  });

  it('sends heartbeats at its interval, with its status, and learns of the round trip', async () => {
    const client = await site.client('device003', {extras: {status: () => ({signal: -71, ip: '10.0.0.7'})}});
    const beat = site.next('heartbeat');
    client.withHeartbeatInterval(50);
    const started = client.start(undefined, {login: {deviceId: 'device003'}});
    const {roundTripMs, serverTime} = await next(client, 'heartbeat');
    await started;
    expect(roundTripMs).toBeGreaterThan(0);
    expect(Math.abs(serverTime - Date.now())).toBeLessThan(60_000);
    expect(await beat).toMatchObject({deviceId: 'device003', signal: -71, ip: '10.0.0.7'});
    await client.stop();
  });

  it('goes on beating when its status cannot be had or sent', async () => {
    const states = [
      () => {
        throw new Error('modem away');
      },
      () => ({signal: 1.5, ip: ''}),
      () => ({signal: 0, ip: 7 as unknown as string}),
      () => ({signal: -50, ip: '10.0.0.8'}),
    ];
    let beats = 0;
    const client = await site.client('device004', {extras: {status: () => states[Math.min(beats++, 3)]!()}});
    const started = client.withHeartbeatInterval(50).start(undefined, {login: {deviceId: 'device004'}});
    for (let n = 0; n < 4; n++) await next(client, 'heartbeat');
    await started;
    expect(beats).toBeGreaterThanOrEqual(4);
    await client.stop();
  });

  it.each([0, 49, -1, Number.NaN, 3_600_001, Number.POSITIVE_INFINITY])('refuses to beat every %d ms', async (ms) => {
    const client = await site.client('device005');
    expect(() => client.withHeartbeatInterval(ms)).toThrow(RangeError);
  });

  it('asks, and is refused while it is offline', async () => {
    const client = await site.client('device006');
    await expect(client.query('o-1')).rejects.toMatchObject({code: 'NOT_CONNECTED'});
    await expect(client.send('Ping', {})).rejects.toMatchObject({code: 'NOT_CONNECTED'});
    await client.start(undefined, {login: {deviceId: 'device006'}});
    expect(await client.query('o-1')).toMatchObject({orderId: 'o-1', code: 6});
    await expect(client.send('Nonsense', {})).rejects.toMatchObject({code: 'MESSAGE_UNKNOWN'});
    await expect(client.send('CoinAck', {orderId: 'x', progress: 2 ** 32})).rejects.toThrow(RangeError);
    await client.stop();
  });

  it('can be started once, and stopped often', async () => {
    const client = await site.client('device007');
    await client.wait();
    const first = client.start(undefined, {login: {deviceId: 'device007'}});
    await expect(client.start(undefined, FLOW)).rejects.toMatchObject({code: 'ALREADY_STARTED'});
    await first;
    await expect(client.start(undefined, FLOW)).rejects.toMatchObject({code: 'ALREADY_STARTED'});
    await expect(client.run(undefined, FLOW)).rejects.toMatchObject({code: 'ALREADY_STARTED'});
    expect(client.online).toBe(true);
    expect(client.listenerCount('online')).toBe(0);
    const waited = client.wait();
    await Promise.all([client.stop(), client.stop()]);
    await client.stop();
    await waited;
  });

  it('says what it lacks', async () => {
    const client = await site.client('device008');
    await expect(client.start(undefined, {login: {version: '1'}})).rejects.toMatchObject({code: 'FLOW_INVALID'});
    await expect(client.wait()).rejects.toMatchObject({code: 'FLOW_INVALID'});
    await client.stop();
    const other = new PaynetClient({client: {addr: '127.0.0.1:1', tls: {ca: '/nonexistent/ca.crt'}}});
    await expect(other.start(undefined, FLOW)).rejects.toMatchObject({code: 'TLS_FILE_UNREADABLE'});
    expect(() => new PaynetClient({client: {addr: 'nonsense', tls: {ca: site.caFile}}})).toThrow(
      expect.objectContaining({code: 'CONFIG_INVALID'}),
    );
  });

  it('speaks the dialect in which Len counts the payload alone', async () => {
    const other = await openSite({config: {frame: {length: 'payload'}}});
    const client = await other.client('device001', {config: {frame: {length: 'payload'}}});
    await client.start(undefined, FLOW);
    expect(await client.query('o-1')).toMatchObject({code: 6});
    await other.close();
  });

  it('is not unwound by a listener that throws: the error is the program’s', async () => {
    const client = await site.client('device009');
    const uncaught: string[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error.message));
    try {
      for (const name of ['online', 'offline', 'retry', 'message', 'heartbeat'] as const) {
        client.once(name, () => {
          throw new Error(name);
        });
      }
      const started = client.withHeartbeatInterval(50).start(undefined, {login: {deviceId: 'device009'}});
      await next(client, 'heartbeat');
      await started;
      client.drop();
      await next(client, 'online');
      await client.stop();
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    }
    expect(uncaught.sort()).toEqual(['heartbeat', 'message', 'offline', 'online', 'retry']);
  });
});

describe('a server that cannot be reached', () => {
  async function retried(addr: string, more: object = {}): Promise<{code?: string; message: string; hint?: string}> {
    const {certificatePem, privateKeyPem} = await site.issue('device001');
    const client = new PaynetClient({
      client: {
        addr,
        tls: {ca: site.caFile, cert: certificatePem, key: privateKeyPem},
        reconnect: {base: '10ms', max: '20ms'},
        ...more,
      },
    } as never);
    const ended = client.run(undefined, FLOW);
    // It goes on trying.
    const {error} = await next(client, 'retry');
    await next(client, 'retry');
    await client.stop();
    await ended;
    return error;
  }

  it('is a port where nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const {port} = server.address() as {port: number};
    server.close();
    await once(server, 'close');
    expect(await retried(`127.0.0.1:${port}`)).toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it('is one that never answers', async () => {
    const sockets = new Set<import('node:net').Socket>();
    const server = createServer((socket) => sockets.add(socket.on('error', () => socket.destroy()))).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const {port} = server.address() as {port: number};
    const error = await retried(`127.0.0.1:${port}`, {connect_timeout: '50ms'});
    expect(error).toMatchObject({code: 'CONNECT_TIMEOUT', message: expect.stringContaining('50 ms')});
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it('is one that closes in the middle of the handshake, or speaks something else', async () => {
    for (const greeting of ['', 'SSH-2.0-OpenSSH\r\n']) {
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.end(greeting);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const {port} = server.address() as {port: number};
      expect(await retried(`127.0.0.1:${port}`)).toMatchObject({code: 'CONNECT_FAILED'});
      server.close();
    }
  });

  it('is one whose certificate is another authority’s', async () => {
    const other = await openSite();
    const error = await retried(`127.0.0.1:${other.server.address.port}`);
    expect(error).toMatchObject({code: 'SERVER_UNTRUSTED', hint: expect.stringContaining('client.tls.ca')});
    await other.close();
  });

  it('is one whose certificate has another name', async () => {
    const error = await retried(`127.0.0.1:${site.server.address.port}`, {server_name: 'pay.example.com'});
    expect(error).toMatchObject({code: 'SERVER_UNTRUSTED', message: expect.stringContaining('pay.example.com')});
  });

  it('is one that refuses our certificate, after a handshake that looked good', async () => {
    const other = await openSite();
    const {certificatePem, privateKeyPem} = await other.issue('device001');
    const error = await retried(`127.0.0.1:${site.server.address.port}`, {
      tls: {ca: site.caFile, cert: certificatePem, key: privateKeyPem},
    });
    expect(error).toMatchObject({
      code: 'CONNECTION_CLOSED',
      message: expect.stringContaining("before the server's RegisterRsp"),
      hint: expect.stringContaining('refuse our certificate'),
    });
    await other.close();
  });

  it('is one that wants a certificate of a client that has none', async () => {
    const error = await retried(`127.0.0.1:${site.server.address.port}`, {tls: {ca: site.caFile}});
    expect(error).toMatchObject({code: 'CONNECTION_CLOSED', message: expect.stringMatching(/certificate required/i)});
  });
});

describe('a server that does not want us', () => {
  it('is tried again and again, from the beginning', async () => {
    let allowed = false;
    const other = await openSite({
      extras: {hooks: {login: () => (allowed ? {allowed} : {allowed: false as const, reason: 'not today'})}},
    });
    const client = await other.client('device001');
    const seen = trace(client, true);
    const online = client.start(undefined, FLOW);
    const {error} = await next(client, 'retry');
    expect(error).toMatchObject({code: 'LOGIN_REFUSED', message: expect.stringContaining('not today')});
    await next(client, 'retry');
    allowed = true;
    await online;
    // Registered anew each time: what the server has forgotten cannot be known.
    const tries = seen.filter((what) => what === 'sent RegisterReq').length;
    expect(tries).toBe(seen.filter((what) => what === 'retry').length + 1);
    await other.close();
  });

  it('refuses the registration', async () => {
    const other = await openSite({extras: {hooks: {register: () => ({allowed: false as const, reason: 'unknown'})}}});
    const client = await other.client('device001');
    const ended = client.run(undefined, FLOW);
    expect((await next(client, 'retry')).error).toMatchObject({
      code: 'REGISTER_REFUSED',
      message: expect.stringContaining('UNAUTHORIZED unknown'),
    });
    await client.stop();
    await ended;
    await other.close();
  });
});

describe('a server that comes back', () => {
  it('on the same port is found again; the tokens of before are refused and done without', async () => {
    const first = await openSite();
    const {port} = first.server.address;
    const client = await first.client('device001');
    const seen = trace(client, true);
    await client.start(undefined, FLOW);
    const back = next(client, 'online');
    await first.server.stop();
    const {PaynetServer} = await import('../../src/lib/server.js');
    const {quiet} = await import('../e2e/site.js');
    const second = new PaynetServer({server: {addr: `127.0.0.1:${port}`, tls: first.serverTls}} as never, {log: quiet});
    await second.start();
    expect(await back).toMatchObject({deviceId: 'device001', resumed: false, tlsResumed: false});
    expect(seen.filter((what) => what === 'sent RegisterReq')).toHaveLength(1);
    await client.stop();
    await second.stop();
    await first.close();
  });
});

describe('thousands of clients', () => {
  it('of one process share a room, which is empty when they have gone', async () => {
    const room = createClientRoom();
    const clients = await Promise.all(Array.from({length: 20}, (_, n) => site.client(`many${n}`, {extras: {room}})));
    await Promise.all(clients.map((client, n) => client.start(undefined, {login: {deviceId: `many${n}`}})));
    expect(room.wheel.size).toBe(40);
    for (let round = 0; round < 3; round++) {
      const back = clients.map((client) => next(client, 'online'));
      for (const client of clients) client.drop();
      await Promise.all(back);
      expect(room.wheel.size).toBe(40);
    }
    await Promise.all(clients.map((client) => client.stop()));
    expect(room.wheel.size).toBe(0);
    expect(room.dispatcher.running + room.dispatcher.waiting).toBe(0);
    room.wheel.stop();
  });
});
