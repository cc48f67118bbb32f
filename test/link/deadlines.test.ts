import {describe, expect, it, vi} from 'vitest';
import {encodeFrame} from '../../src/lib/frame/index.js';
import {ResultCode, Type} from '../../src/lib/registry/index.js';
import {counted, openGate} from './gate.js';
import {said} from './raw-client.js';

const zero = Buffer.alloc(4);

describe('a connection', () => {
  it('that does not log in is told so and closed, whatever else it says', async () => {
    const gate = await openGate({server: {login_timeout: '300ms'}});
    const client = await gate.dial('device001');
    const chatter = setInterval(() => client.frame(Type.ping), 30);
    let answer = await client.next();
    while (answer?.type === Type.pong) answer = await client.next();
    clearInterval(chatter);
    expect(answer?.type).toBe(Type.error);
    await client.rest();
    await vi.waitFor(() => expect(counted(gate.server, 'closed')).toEqual({login_timeout: 1}));
    expect(gate.events).toEqual([]);
  });

  it('that is silent is told so and closed', async () => {
    const gate = await openGate({server: {heartbeat_expect: '200ms'}});
    const client = await gate.device('device001');
    expect(await client.hearError()).toMatchObject({code: ResultCode.FAILED, msg: 'no heartbeat in time'});
    await client.rest();
    expect(await gate.untilEvent('disconnected')).toMatchObject({deviceId: 'device001', reason: 'heartbeat_timeout'});
    expect(gate.server.isOnline('device001')).toBe(false);
  });

  it.each([
    ['a heartbeat', encodeFrame(Type.ping, new Uint8Array(0))],
    ['a question', said('QueryReq', {orderId: 'o-1'})],
    ['a frame of an unknown type', encodeFrame(0x40, new Uint8Array(0))],
  ])('lives by any frame: %s', async (_, frame) => {
    const gate = await openGate({server: {heartbeat_expect: '400ms'}});
    const client = await gate.device('device001');
    const beat = setInterval(() => client.write(frame), 100);
    // Another device, silent for as long as three limits in a row, shows that the time has passed.
    for (let device = 2; device < 5; device++) await (await gate.device(`device00${device}`)).closed;
    clearInterval(beat);
    expect(client.over).toBe(false);
    await client.rest();
  });

  it('does not live by pieces of a frame that never ends', async () => {
    const gate = await openGate({server: {heartbeat_expect: '300ms'}});
    const client = await gate.device('device001');
    client.write(Buffer.of(0, 0, 0xff, 0, 0x03));
    const drip = setInterval(() => client.write(Buffer.of(0x0a)), 20);
    expect(await client.hearError()).toMatchObject({msg: 'no heartbeat in time'});
    await client.rest();
    clearInterval(drip);
    expect(await gate.untilEvent('disconnected')).toMatchObject({reason: 'heartbeat_timeout'});
  });

  it('that does not close its own side after the farewell is ended all the same', async () => {
    const gate = await openGate({server: {heartbeat_expect: '1h'}});
    const client = await gate.dial('device001', {allowHalfOpen: true} as object);
    await client.login('device001');
    client.write(zero);
    await client.hearError();
    await vi.waitFor(() => expect(gate.counters.connections).toBe(0), {timeout: 10_000});
    expect(counted(gate.server, 'closed')).toEqual({frame_error: 1});
  });

  it('keeps the limit of its farewell when it was throttled before', async () => {
    const limits = {messages_per_second: 10, message_burst: 1};
    const gate = await openGate({server: {heartbeat_expect: '1h', limits}});
    const client = await gate.dial('device001', {allowHalfOpen: true} as object);
    await client.login('device001');
    client.write(encodeFrame(Type.ping, new Uint8Array(0)), zero);
    await client.hear('Pong');
    await client.hearError();
    await vi.waitFor(() => expect(gate.counters.connections).toBe(0), {timeout: 10_000});
  });
});

describe('a flood', () => {
  it('is slowed down to the rate without losing anything, and nobody else feels it', async () => {
    const gate = await openGate({server: {limits: {messages_per_second: 50, message_burst: 20}}});
    const flooding = await gate.device('device001');
    const other = await gate.device('device002');
    const ids = Array.from({length: 80}, (_, index) => `o-${index}`);
    flooding.write(...ids.map((orderId) => said('QueryReq', {orderId})));
    for (let beat = 0; beat < 10; beat++) await other.alive();
    expect(flooding.heard.length).toBeLessThan(ids.length);
    for (const orderId of ids) expect(await flooding.hear('QueryRsp')).toMatchObject({orderId});
    expect(counted(gate.server, 'closed')).toEqual({});
  });

  it('that is held back for longer than the heartbeat limit is not taken for silence', async () => {
    const limits = {messages_per_second: 4, message_burst: 1};
    const gate = await openGate({server: {heartbeat_expect: '100ms', limits}});
    const client = await gate.device('device001');
    client.write(...Array.from({length: 4}, () => encodeFrame(Type.ping, new Uint8Array(0))));
    for (let pong = 0; pong < 4; pong++) await client.hear('Pong');
    expect(await client.hearError()).toMatchObject({msg: 'no heartbeat in time'});
  });

  it('before the login cannot put off the login limit', async () => {
    const limits = {messages_per_second: 1, message_burst: 1};
    const gate = await openGate({server: {login_timeout: '400ms', limits}});
    const client = await gate.dial('device001');
    client.write(...Array.from({length: 50}, () => encodeFrame(Type.ping, new Uint8Array(0))));
    await client.closed;
    await vi.waitFor(() => expect(counted(gate.server, 'closed')).toEqual({login_timeout: 1}));
  });
});

describe('a device that does not read', () => {
  it('is closed when the bound of unsent bytes is reached', async () => {
    const bound = 65_536;
    const gate = await openGate({server: {limits: {write_buffer: bound}}});
    const client = await gate.device('device001');
    client.socket.pause();
    const payload = Buffer.alloc(16_384, 7);
    const driver = (await gate.untilEvent('loggedIn')).driver;
    let most = 0;
    let closed = false;
    while (!closed) {
      await gate.server.command('device001', {kind: 'raw', type: 0x40, payload}).catch(() => {
        closed = true;
      });
      await new Promise<void>((resolve) => setImmediate(resolve));
      most = Math.max(most, driver.connection.socket.writableLength);
    }
    // The bound and the one write that went over it.
    expect(most).toBeLessThanOrEqual(bound + 2 * payload.length);
    expect(await gate.untilEvent('disconnected')).toMatchObject({reason: 'slow_reader'});
    client.destroy();
  });

  it('but has a small bound may still be sent one large message when it reads', async () => {
    const gate = await openGate({server: {limits: {write_buffer: 1024}}});
    const client = await gate.device('device001');
    const payload = Buffer.alloc(60_000, 7);
    await gate.server.command('device001', {kind: 'raw', type: 0x40, payload});
    expect(await client.next()).toEqual({type: 0x40, payload});
    await client.alive();
  });
});
