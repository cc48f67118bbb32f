import {createHash} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it, vi} from 'vitest';
import type {LoginRequest} from '../../src/lib/link/index.js';
import {ResultCode} from '../../src/lib/registry/index.js';
import {tempFolder} from '../tls/support.js';
import {counted, type Gate, openGate} from './gate.js';
import {RawClient} from './raw-client.js';

async function expectNobody(gate: Gate): Promise<void> {
  await vi.waitFor(() => expect(gate.counters.connections).toBe(0));
  await vi.waitFor(() => expect(gate.counters.sessionsOnline).toBe(0));
}

const login = (deviceId: string, token = ''): object => ({deviceId, token, version: '1'});
const register = (deviceSn: string): object => ({deviceSn, model: 'm', firmware: 'f', devicePubkey: new Uint8Array(0)});

describe('a registration', () => {
  it('succeeds, and the second one says that it exists', async () => {
    const gate = await openGate();
    const client = await gate.dial('device001');
    client.say('RegisterReq', register('device001'));
    expect(await client.hear('RegisterRsp')).toMatchObject({code: 0, msg: 'registered', deviceId: 'device001'});
    client.say('RegisterReq', register('device001'));
    expect(await client.hear('RegisterRsp')).toMatchObject({code: 0, msg: 'already exists', deviceId: 'device001'});
    expect(counted(gate.server, 'registrations')).toEqual({ok: 1, exists: 1});
    expect(await gate.untilEvent('registered', 2)).toMatchObject({first: false, model: 'm', firmware: 'f'});
    expect(gate.server.isOnline('device001')).toBe(false);
  });

  it.each([
    ['of another device', 'device002', ResultCode.UNAUTHORIZED, 'unauthorized'],
    ['of nobody', '', ResultCode.PARAM_ERROR, 'param_error'],
    ['with NUL', 'device001\0', ResultCode.PARAM_ERROR, 'param_error'],
    ['with a space behind', 'device001 ', ResultCode.PARAM_ERROR, 'param_error'],
  ])('%s is refused, and so is the login', async (_, name, code, label) => {
    const gate = await openGate();
    const client = await gate.dial('device001');
    client.say('RegisterReq', register(name));
    expect(await client.hear('RegisterRsp')).toMatchObject({code, deviceId: ''});
    client.say('LoginReq', login(name));
    expect(await client.hear('LoginRsp')).toMatchObject({code, resumeToken: ''});
    expect([counted(gate.server, 'registrations'), counted(gate.server, 'logins')]).toEqual([
      {[label]: 1},
      {[label]: 1},
    ]);
    await client.alive();
    expect(gate.events).toEqual([]);
  });
});

describe('a login', () => {
  it('with the resume token of the last one takes the session up', async () => {
    const seen: LoginRequest[] = [];
    const hooks = {
      login: (request: LoginRequest) => {
        seen.push(request);
        return {allowed: true} as const;
      },
    };
    const gate = await openGate({extras: {hooks}});
    const first = await gate.dial('device001');
    const {resumeToken} = await first.login('device001', 'secret');
    first.destroy();
    const second = await gate.dial('device001');
    expect(await second.login('device001', resumeToken)).toMatchObject({msg: 'resumed'});
    const third = await gate.dial('device001');
    expect(await third.login('device001', `${resumeToken}x`)).toMatchObject({msg: 'ok'});
    expect(seen.map(({token, resumed}) => [token, resumed])).toEqual([
      ['secret', false],
      ['', true],
      [`${resumeToken}x`, false],
    ]);
    expect(counted(gate.server, 'logins')).toEqual({ok: 2, resumed: 1});
  });

  it('again on the same connection gives a new token, and does not count twice', async () => {
    const gate = await openGate();
    const client = await gate.dial('device001');
    const first = await client.login('device001');
    const second = await client.login('device001', first.resumeToken);
    expect(second).toMatchObject({msg: 'resumed'});
    expect(second.resumeToken).not.toBe(first.resumeToken);
    expect(gate.counters.sessionsOnline).toBe(1);
    expect(gate.events.map(({kind}) => kind)).toEqual(['loggedIn', 'loggedIn']);
    client.destroy();
    await gate.untilEvent('disconnected');
    await expectNobody(gate);
  });

  it('as another device on the same connection is refused', async () => {
    const gate = await openGate({config: {auth: {bind_certificate: false}}});
    const client = await gate.dial('device001');
    await client.login('device007');
    client.say('LoginReq', login('device008'));
    expect(await client.hear('LoginRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: /another device/});
    expect(gate.server.isOnline('device007')).toBe(true);
    expect(gate.server.isOnline('device008')).toBe(false);
    await client.alive();
  });

  it('of the same device elsewhere wins: the older is told and closed, and the device was never offline', async () => {
    const gate = await openGate();
    const online: boolean[] = [];
    gate.server.on('device', () => online.push(gate.server.isOnline('device001')));
    const pair = await gate.pair('device001');
    const older = await RawClient.dial(gate.port, pair);
    await older.login('device001');
    const asked = gate.server.command('device001', {kind: 'queryOrder', orderId: 'o-1', timeoutMs: 60_000});
    const outcome = expect(asked).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
    await older.hear('QueryReq');
    const newer = await RawClient.dial(gate.port, pair);
    await newer.login('device001');
    expect(await older.hearError()).toMatchObject({msg: /replaced/});
    expect(await older.rest()).toEqual([]);
    await outcome;
    await vi.waitFor(() => expect(gate.counters.sessionsOnline).toBe(1));
    expect(gate.events.map(({kind}) => kind)).toEqual(['loggedIn', 'alarm', 'loggedIn']);
    expect(online).toEqual([true, true, true]);
    expect(counted(gate.server, 'closed')).toEqual({replaced: 1});
    await newer.alive();
    newer.destroy();
    expect(await gate.untilEvent('disconnected')).toMatchObject({reason: 'peer_closed'});
    await expectNobody(gate);
  });

  it('after a close by us is no clone', async () => {
    const gate = await openGate();
    const pair = await gate.pair('device001');
    // It keeps its side open, so that we are still closing when it is back.
    const older = await RawClient.dial(gate.port, {...pair, allowHalfOpen: true} as object);
    await older.login('device001');
    expect(gate.server.kick('device001')).toBe(true);
    await older.hearError();
    const newer = await RawClient.dial(gate.port, pair);
    await newer.login('device001');
    await vi.waitFor(() => expect(gate.counters.sessionsOnline).toBe(1), {timeout: 10_000});
    expect(gate.events.map(({kind}) => kind)).toEqual(['loggedIn', 'loggedIn']);
    expect(gate.server.isOnline('device001')).toBe(true);
    newer.destroy();
  });

  it('in any order with any ends leaves nothing behind', async () => {
    const gate = await openGate({server: {limits: {per_certificate: 1000}}});
    const pair = await gate.pair('device001');
    const clients: RawClient[] = [];
    for (let round = 0; round < 40; round++) {
      const client = await RawClient.dial(gate.port, pair);
      clients.push(client);
      client.say('LoginReq', login('device001'));
      const what = (round * 7) % 5;
      if (what === 0) client.destroy();
      else if (what === 1) client.socket.end();
      else if (what === 2) await client.hear('LoginRsp');
      else if (what === 3) gate.server.kick('device001');
    }
    for (const client of clients) client.destroy();
    await expectNobody(gate);
    expect(gate.server.isOnline('device001')).toBe(false);
    const last = await RawClient.dial(gate.port, pair);
    await last.login('device001');
    expect(gate.counters.sessionsOnline).toBe(1);
    last.destroy();
    await expectNobody(gate);
    const total = Object.values(counted(gate.server, 'closed')).reduce((sum, count) => sum + count, 0);
    expect(total).toBe(gate.counters.handshakesFull + gate.counters.handshakesResumed);
  });

  it('whose connection ends before the hook has decided does not put anybody online', async () => {
    let decide = (_: {allowed: true} | {allowed: false; reason: string}): void => undefined;
    let asked = (): void => undefined;
    const waiting = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const hooks = {
      login: () => {
        asked();
        return new Promise<{allowed: true} | {allowed: false; reason: string}>((resolve) => {
          decide = resolve;
        });
      },
    };
    for (const verdict of [{allowed: true}, {allowed: false, reason: 'no'}] as const) {
      const gate = await openGate({extras: {hooks}});
      const client = await gate.dial('device001');
      client.say('LoginReq', login('device001'));
      await waiting;
      client.destroy();
      await expectNobody(gate);
      decide(verdict);
      await new Promise<void>((resolve) => setImmediate(resolve));
      expect(gate.server.isOnline('device001')).toBe(false);
      expect([gate.events, gate.counters.sessionsOnline, gate.counters.handlerErrors]).toEqual([[], 0, 0]);
    }
  });

  it('that a hook fails on is refused in the answer the device waits for', async () => {
    const hooks = {
      register: () => Promise.reject(new Error('the database is away')),
      login: () => {
        throw new Error('a mistake in the hook');
      },
    };
    const gate = await openGate({extras: {hooks}});
    const client = await gate.dial('device001');
    client.say('RegisterReq', register('device001'));
    expect(await client.hear('RegisterRsp')).toMatchObject({code: ResultCode.FAILED, deviceId: ''});
    client.say('LoginReq', login('device001'));
    const answer = await client.hear('LoginRsp');
    expect(answer).toMatchObject({code: ResultCode.FAILED, resumeToken: ''});
    expect(JSON.stringify(answer)).not.toContain('mistake');
    await client.alive();
    expect([counted(gate.server, 'registrations'), counted(gate.server, 'logins')]).toEqual([{failed: 1}, {failed: 1}]);
    expect(gate.counters.handlerErrors).toBe(2);
    expect(gate.lines.filter(({message}) => message === 'a hook failed')).toHaveLength(2);
  });
});

describe('without certificates', () => {
  const noCertificates = {mutual_auth: false, client_ca: undefined};
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
  const bare = (gate: Gate): Promise<RawClient> => RawClient.dial(gate.port, {ca: gate.authority.certificatePem});

  it('and without a list nobody gets in', async () => {
    const gate = await openGate({tls: noCertificates});
    const client = await bare(gate);
    client.say('RegisterReq', register('device001'));
    expect(await client.hear('RegisterRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: /no way to check/});
    client.say('LoginReq', login('device001', 'x'));
    expect(await client.hear('LoginRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: /no way to check/});
  });

  it('everybody gets in where that is said', async () => {
    const gate = await openGate({tls: noCertificates, config: {auth: {allow_unverified: true}}});
    const client = await bare(gate);
    await client.login('anybody');
    expect(gate.events[0]?.driver.peer.identity).toBeUndefined();
  });

  it('the list decides, and the token proves', async () => {
    const list = join(await tempFolder(), 'devices.txt');
    await writeFile(list, `# devices\ndevice001 ${sha256('secret')}\r\n\n  device002   # has no token\n`);
    const gate = await openGate({tls: noCertificates, config: {auth: {devices: list}}});
    const client = await bare(gate);
    for (const [deviceId, token, reason] of [
      ['device001', 'wrong', /token is not valid/],
      ['device001', '', /token is not valid/],
      ['device001', sha256('secret'), /token is not valid/],
      ['device002', '', /neither a certificate nor a token/],
      ['device003', 'secret', /not on the list/],
    ] as const) {
      client.say('LoginReq', login(deviceId, token));
      expect(await client.hear('LoginRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: reason});
    }
    const {resumeToken} = await client.login('device001', 'secret');
    const again = await bare(gate);
    expect(await again.login('device001', resumeToken)).toMatchObject({msg: 'resumed'});
    again.say('LoginReq', login('device002', resumeToken));
    expect(await again.hear('LoginRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED});
  });

  it('a certificate that is on no list does not help either', async () => {
    const list = join(await tempFolder(), 'devices.txt');
    await writeFile(list, 'device001\n');
    const gate = await openGate({config: {auth: {devices: list}}});
    await gate.device('device001');
    const client = await gate.dial('device002');
    client.say('LoginReq', login('device002'));
    expect(await client.hear('LoginRsp')).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: /not on the list/});
  });
});
