import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {PaynetClient} from '../../src/lib/device/index.js';
import {ResultCode} from '../../src/lib/registry/index.js';
import {openSite, type Site} from '../e2e/site.js';
import {admit, scriptedServer, type Visitor} from './scripted-server.js';
import {FLOW, next, trace} from './trace.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

type Script = Parameters<typeof scriptedServer>[1];

async function against(script: Script, more: object = {}): Promise<PaynetClient> {
  const {cert, key} = site.serverTls;
  const port = await scriptedServer({cert, key}, script);
  return site.client('device001', {
    ...more,
    client: {addr: `127.0.0.1:${port}`, reconnect: {base: '10ms', max: '20ms'}},
  });
}

describe('what a server may say', () => {
  it('UNAUTHORIZED in an ErrorMsg, instead of an answer: the login is refused, not waited for', async () => {
    let refusals = 0;
    const client = await against((visitor, name) => {
      if (name === 'LoginReq' && refusals++ < 2) visitor.send('ErrorMsg', {code: ResultCode.UNAUTHORIZED, msg: 'who?'});
      else admit(visitor, name);
    });
    const seen = trace(client, true);
    const started = client.start(undefined, FLOW);
    expect((await next(client, 'retry')).error).toMatchObject({
      code: 'ANSWER_REFUSED',
      message: 'instead of LoginRsp the server answers UNAUTHORIZED who?',
    });
    await started;
    expect(seen.filter((what) => what === 'sent RegisterReq')).toHaveLength(3);
    await client.stop();
  });

  it('UNAUTHORIZED while online: it has forgotten us, and we introduce ourselves anew', async () => {
    let visits = 0;
    const client = await against((visitor, name) => {
      if (admit(visitor, name) && name === 'LoginReq' && visits++ === 0) {
        visitor.send('ErrorMsg', {code: ResultCode.UNAUTHORIZED, msg: 'log in'});
      }
    });
    const seen = trace(client, true);
    await client.start(undefined, FLOW);
    const fault = await next(client, 'online');
    expect(fault).toMatchObject({deviceId: 'device001'});
    expect(seen.filter((what) => what === 'sent RegisterReq')).toHaveLength(2);
    await client.stop();
  });

  it('ORDER_DUPLICATED: the last ack is repeated, once, however often it is said', async () => {
    const acks: unknown[] = [];
    let visitor: Visitor | undefined;
    const client = await against((from, name, message) => {
      visitor = from;
      if (admit(from, name)) return;
      if (name !== 'CoinAck') return;
      acks.push(message);
      // A server that answers every ack so would be answered for ever.
      from.send('ErrorMsg', {code: ResultCode.ORDER_DUPLICATED, msg: ''});
    });
    await client.start(undefined, FLOW);
    const faults: number[] = [];
    client.on('fault', ({code}) => faults.push(code));
    await client.send('CoinAck', {orderId: 'o-1', state: 2, progress: 100});
    while (faults.length < 2) await next(client, 'fault');
    visitor?.send('ErrorMsg', {code: ResultCode.ORDER_DUPLICATED, msg: ''});
    await next(client, 'fault');
    visitor?.send('QueryReq', {orderId: 'o-1'});
    await next(client, 'message');
    expect(acks).toHaveLength(2);
    expect(acks[1]).toEqual(acks[0]);
    await client.stop();
  });

  it('no to a resume token: the login is tried once more without it, on the same connection', async () => {
    const logins: unknown[] = [];
    const client = await against((visitor, name, {token}) => {
      if (name !== 'LoginReq') return void admit(visitor, name);
      logins.push(token);
      const code = token === 'own' ? ResultCode.OK : ResultCode.UNAUTHORIZED;
      visitor.send('LoginRsp', {code, msg: '', resumeToken: code === ResultCode.OK ? 'once' : ''});
    });
    const seen = trace(client, true);
    await client.start(undefined, {...FLOW, login: {token: 'own'}});
    client.drop();
    expect(await next(client, 'online')).toMatchObject({resumed: false});
    expect(logins).toEqual(['own', 'once', 'own']);
    expect(seen.filter((what) => what === 'sent RegisterReq')).toHaveLength(1);
    expect(seen.filter((what) => what === 'retry')).toHaveLength(1);
    await client.stop();
  });

  it('nothing of an ack that was made while offline: it hears of it after the next login, the newest of each order', async () => {
    const acks: unknown[] = [];
    let heard = (): void => {};
    const both = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const client = await against((visitor, name, message) => {
      if (admit(visitor, name) || name !== 'CoinAck') return;
      if (acks.push([message.orderId, message.state]) === 2) heard();
    });
    await client.start(undefined, FLOW);
    const offline = next(client, 'offline');
    client.drop();
    await offline;
    expect(client.online).toBe(false);
    await client.send('CoinAck', {orderId: 'o-1', state: 1, progress: 50});
    await client.send('CoinAck', {orderId: 'o-1', state: 2, progress: 100});
    await client.send('CoinAck', {orderId: 'o-2', state: 3, progress: 0, error: 'jam'});
    await both;
    await client.query('o-1', 50).catch(() => undefined);
    expect(acks).toEqual([
      ['o-1', 2],
      ['o-2', 3],
    ]);
    await client.stop();
  });

  it('hello and goodbye: the pauses grow, as if it were away', async () => {
    const delays: number[] = [];
    const {cert, key} = site.serverTls;
    const port = await scriptedServer({cert, key}, (visitor, name) => {
      if (admit(visitor, name) && name === 'LoginReq') visitor.socket.end();
    });
    const eager = await site.client('device001', {
      client: {addr: `127.0.0.1:${port}`, reconnect: {base: '10s', max: '40s'}},
      // Nearly no pause, but one that tells how long it may have been.
      extras: {random: () => 1e-4},
    });
    const ended = eager.run(undefined, FLOW);
    while (delays.length < 4) delays.push((await next(eager, 'retry')).delayMs);
    await eager.stop();
    await ended;
    expect(delays).toEqual([1, 2, 4, 4]);
  });

  it('nonsense: nothing of it ends the client', async () => {
    const client = await against((visitor, name) => {
      if (!admit(visitor, name) || name !== 'LoginReq') return;
      visitor.send('LoginRsp', {code: 0, msg: 'again', resumeToken: ''});
      visitor.send('RegisterRsp', {code: 1, msg: '', deviceId: 'other'});
      visitor.send('Pong', {timestamp: 1});
      visitor.send('QueryRsp', {orderId: 'never asked', state: 2, progress: 100, error: ''});
      visitor.send('CoinCommand', {orderId: '', coins: 5, timeout: 1});
      visitor.send('CoinCommand', {orderId: 'o-1', coins: 0, timeout: 1});
      visitor.send('ErrorMsg', {code: 4_000_000_000, msg: '\u0000\u001b[31m'});
      visitor.send('QueryReq', {orderId: 'o-1'});
    });
    const heard: {name: string; message: unknown}[] = [];
    client.on('message', ({direction, name, message}) => direction === 'sent' && heard.push({name, message}));
    const beats: unknown[] = [];
    client.on('heartbeat', (beat) => beats.push(beat));
    await client.start(undefined, FLOW);
    while (!heard.some(({name}) => name === 'QueryRsp')) await next(client, 'message');
    expect(heard.at(-1)?.message).toMatchObject({orderId: 'o-1', code: ResultCode.ORDER_NOT_FOUND});
    expect(client.deviceId).toBe('device001');
    expect(client.online).toBe(true);
    // A Pong that nobody waits for is no round trip.
    expect(beats).toEqual([]);
    await client.stop();
  });

  it('something that is no frame: the connection is left, the client is not', async () => {
    let visits = 0;
    const client = await against((visitor, name) => {
      if (visits++ === 0) visitor.socket.write(Buffer.alloc(5));
      else admit(visitor, name);
    });
    const started = client.start(undefined, FLOW);
    expect((await next(client, 'retry')).error).toMatchObject({code: 'CONNECTION_CLOSED'});
    await started;
    await client.stop();
  });
});
