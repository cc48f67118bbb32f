import {EventEmitter, once} from 'node:events';
import {connect} from 'node:net';
import {describe, expect, it, vi} from 'vitest';
import {drain} from '../../src/lib/link/drain.js';
import {PaynetServer} from '../../src/lib/server.js';
import type {Connection} from '../../src/lib/session/index.js';
import {openSite, quiet} from '../e2e/site.js';
import {counted, openGate} from './gate.js';
import {dialTcp} from './raw-client.js';

describe('a start', () => {
  it('on a port in use fails with one clear error, and closes what was opened', async () => {
    const gate = await openGate();
    const server = new PaynetServer(
      {
        server: {addr: `127.0.0.1:${gate.port}`, drain_timeout: '50ms', tls: gate.serverTls},
        observe: {addr: '127.0.0.1:0'},
      },
      {log: quiet},
    );
    await expect(server.start()).rejects.toMatchObject({code: 'PORT_IN_USE', hint: expect.any(String)});
    await server.wait();
    expect(server.isListening).toBe(false);
    const {port} = server.observeAddress ?? {port: 0};
    if (port > 0) {
      const socket = connect(port, '127.0.0.1');
      await expect(once(socket, 'connect')).rejects.toMatchObject({code: 'ECONNREFUSED'});
    }
    await expect(server.start()).rejects.toMatchObject({code: 'ALREADY_STARTED'});
    await gate.device('device001');
  });

  it('cannot be made twice', async () => {
    const gate = await openGate();
    await expect(gate.server.start()).rejects.toMatchObject({code: 'ALREADY_STARTED'});
    await gate.device('device001');
  });

  it('that is stopped before it has ended leaves nothing open', async () => {
    const site = await openSite();
    const server = new PaynetServer(
      {server: {addr: '127.0.0.1:0', drain_timeout: '50ms', tls: site.serverTls}},
      {log: quiet},
    );
    const outcome = expect(server.start()).rejects.toMatchObject({code: 'STOPPED'});
    await server.stop();
    await outcome;
    expect(server.isListening).toBe(false);
    await site.close();
  });
});

describe('a stop', () => {
  it('closes the devices one after another, not all at once', async () => {
    const gate = await openGate({server: {drain_timeout: '1s'}});
    const clients = await Promise.all(Array.from({length: 10}, (_, index) => gate.device(`device00${index}`)));
    const stopped = gate.server.stop();
    await Promise.race(clients.map(({closed}) => closed));
    expect(clients.filter(({over}) => !over).length).toBeGreaterThanOrEqual(8);
    // Those whose turn has not come are served.
    await clients.findLast(({over}) => !over)?.alive();
    await expect(dialTcp(gate.port)).rejects.toMatchObject({code: 'ECONNREFUSED'});
    await stopped;
    await Promise.all(clients.map(({closed}) => closed));
    expect(counted(gate.server, 'closed')).toEqual({shutdown: 10});
    expect(gate.events.filter(({kind}) => kind === 'disconnected')).toHaveLength(10);
    expect([gate.counters.connections, gate.counters.sessionsOnline]).toEqual([0, 0]);
  });

  it('twice is one', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    await Promise.all([gate.server.stop(), gate.server.stop(), gate.server.wait()]);
    await client.closed;
    await gate.server.stop();
    await gate.server.wait();
  });

  it('before the start is fine', async () => {
    const site = await openSite();
    const server = new PaynetServer({server: {addr: '127.0.0.1:0', tls: site.serverTls}}, {log: quiet});
    await server.stop();
    await server.wait();
    await expect(server.start()).rejects.toThrow();
    expect(server.isListening).toBe(false);
    await site.close();
  });

  it('ends handshakes, logins that wait for a decision, and devices that do not close their side', async () => {
    const gate = await openGate({extras: {hooks: {login: () => new Promise(() => undefined)}}});
    const silent = await dialTcp(gate.port);
    const undecided = await gate.dial('device001', {allowHalfOpen: true} as object);
    undecided.say('LoginReq', {deviceId: 'device001', token: '', version: ''});
    const fresh = await gate.dial('device002');
    await fresh.alive();
    await gate.server.stop();
    await Promise.all([silent.over, fresh.closed]);
    expect(gate.counters.connections).toBe(0);
    expect(counted(gate.server, 'closed')).toEqual({shutdown: 2});
  });

  it('refuses what comes afterwards', async () => {
    const gate = await openGate();
    await gate.device('device001');
    await gate.server.stop();
    const command = gate.server.command('device001', {kind: 'queryOrder', orderId: 'o-1', timeoutMs: 1000});
    await expect(command).rejects.toMatchObject({code: 'DEVICE_OFFLINE'});
    expect(gate.server.kick('device001')).toBe(false);
    await gate.server.reload();
  });
});

describe('closing over time', () => {
  it.each([1, 3, 10, 49, 50, 51, 1000])('is even for %i devices', async (count) => {
    vi.useFakeTimers();
    try {
      let closed = 0;
      const connections = Array.from(
        {length: count},
        () => ({socket: Object.assign(new EventEmitter(), {destroyed: false})}) as unknown as Connection,
      );
      const drained = drain(connections, 1000, ({socket}) => {
        closed++;
        socket.emit('close');
      });
      for (let ms = 0; ms <= 1000; ms += 20) {
        // One step more or less, and the first at once.
        expect(Math.abs(closed - (count * (ms + 20)) / 1000)).toBeLessThanOrEqual(count / 50 + 1);
        await vi.advanceTimersByTimeAsync(20);
      }
      await drained;
      expect(closed).toBe(count);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('of nothing is over at once', async () => {
    await drain([], 60_000, () => undefined);
  });
});

describe('a kick', () => {
  it('tells the device why and closes it; it may come back', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    expect(gate.server.kick('device002')).toBe(false);
    expect(gate.server.kick('device001')).toBe(true);
    expect(await client.hearError()).toMatchObject({msg: 'closed by the operator'});
    expect(await client.rest()).toEqual([]);
    expect(await gate.untilEvent('disconnected')).toMatchObject({reason: 'kicked'});
    await gate.device('device001');
  });
});
