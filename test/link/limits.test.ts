import {once} from 'node:events';
import {connect} from 'node:net';
import fc from 'fast-check';
import {describe, expect, it, vi} from 'vitest';
import {Admission} from '../../src/lib/link/admission.js';
import {counted, type Gate, openGate} from './gate.js';
import {dialTcp, RawClient} from './raw-client.js';

/** Sockets that this process holds on a port, on either end of them. */
function socketsOn(port: number): number {
  const {_getActiveHandles: handles} = process as unknown as {
    _getActiveHandles(): {localPort?: number; remotePort?: number}[];
  };
  return handles().filter(({localPort, remotePort}) => localPort === port || remotePort === port).length;
}

async function expectEmpty(gate: Gate): Promise<void> {
  await vi.waitFor(() => expect(gate.counters.connections).toBe(0));
  await vi.waitFor(() => expect(socketsOn(gate.port)).toBe(0));
}

describe('a handshake that does not come to its end', () => {
  it('ends at the limit with its TCP connection, whether it is silent, drips or stops half-way', async () => {
    const gate = await openGate({server: {handshake_timeout: '300ms'}});
    const silent = await Promise.all(Array.from({length: 20}, () => dialTcp(gate.port)));
    const dripping = await dialTcp(gate.port);
    const drip = setInterval(() => dripping.write(Buffer.of(0x16)), 20);
    const half = await dialTcp(gate.port);
    half.write(Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01));
    await Promise.all([...silent, dripping, half].map(({over}) => over));
    clearInterval(drip);
    await expectEmpty(gate);
    const {timeout, ...others} = counted(gate.server, 'handshakeFailures');
    expect((timeout ?? 0) + (others.not_tls ?? 0)).toBe(22);
    expect(gate.lines.filter(({fields}) => fields.reason === 'timeout')).toHaveLength(1);
    await gate.device('device001');
  });

  it('does not keep a device out for good when silent ones have taken all places', async () => {
    const gate = await openGate({server: {handshake_timeout: '400ms', limits: {handshakes: 2}}});
    const silent = await Promise.all([dialTcp(gate.port), dialTcp(gate.port)]);
    await vi.waitFor(() => expect(gate.counters.connections).toBe(2));
    const client = await gate.client('device001');
    await client.start(undefined, {login: {deviceId: 'device001'}});
    await Promise.all(silent.map(({over}) => over));
    expect(client.online).toBe(true);
  });
});

describe('too many connections', () => {
  it('of one address are turned away, and there is room again when one has gone', async () => {
    const gate = await openGate({server: {limits: {per_address: 2, per_certificate: 5}}});
    const first = await gate.device('device001');
    await gate.device('device002');
    const third = await dialTcp(gate.port);
    await third.over;
    expect(counted(gate.server, 'refused')).toEqual({per_address: 1});
    first.destroy();
    await gate.untilEvent('disconnected');
    await vi.waitFor(() => expect(gate.counters.connections).toBe(1));
    await gate.device('device003');
    expect(gate.counters.connectionsTotal).toBe(3);
  });

  it('of another address are none of its business', async () => {
    const gate = await openGate({server: {limits: {per_address: 1}}});
    await gate.device('device001');
    const socket = connect({host: '127.0.0.1', port: gate.port, localAddress: '127.0.0.2'});
    await once(socket, 'connect');
    const client = await gate.dial('device002', {socket});
    await client.login('device002');
    expect(counted(gate.server, 'refused')).toEqual({});
  });

  it('altogether are turned away', async () => {
    const gate = await openGate({server: {limits: {max_connections: 2}}});
    await gate.device('device001');
    const silent = await dialTcp(gate.port);
    await vi.waitFor(() => expect(gate.counters.connections).toBe(2));
    const third = await dialTcp(gate.port);
    await third.over;
    expect(counted(gate.server, 'refused')).toEqual({max_connections: 1});
    silent.destroy();
    await vi.waitFor(() => expect(gate.counters.connections).toBe(1));
    await gate.device('device002');
  });

  it('of one certificate are refused after the handshake, with a line in the log', async () => {
    const gate = await openGate({server: {limits: {per_certificate: 2}}});
    const pair = await gate.pair('device001');
    const [first, second] = await Promise.all([RawClient.dial(gate.port, pair), RawClient.dial(gate.port, pair)]);
    await Promise.all([first.alive(), second.alive()]);
    const third = RawClient.open(gate.port, pair);
    expect(await third.rest()).toEqual([]);
    expect(counted(gate.server, 'refused')).toEqual({per_certificate: 1});
    expect(counted(gate.server, 'handshakeFailures')).toEqual({});
    expect(gate.lines.filter(({fields}) => fields.reason === 'per_certificate')).toHaveLength(1);
    first.destroy();
    await vi.waitFor(() => expect(gate.counters.connections).toBe(1));
    const fourth = await RawClient.dial(gate.port, pair);
    await fourth.alive();
    for (const client of [second, fourth]) client.destroy();
    await expectEmpty(gate);
  });
});

describe('a storm', () => {
  it('is paced, and everybody gets in', async () => {
    const gate = await openGate({server: {limits: {accept_rate: 40, accept_burst: 4, handshakes: 2}}});
    const pairs = await Promise.all(Array.from({length: 12}, (_, index) => gate.pair(`device${index}`)));
    const clients = await Promise.all(pairs.map((pair) => RawClient.dial(gate.port, pair)));
    await Promise.all(clients.map((client, index) => client.login(`device${index}`)));
    expect(gate.counters.sessionsOnline).toBe(12);
    expect(counted(gate.server, 'handshakeFailures')).toEqual({});
    for (const client of clients) client.destroy();
    await expectEmpty(gate);
  });

  it('that lasts longer than a device waits does not spend its handshakes on those who have given up', async () => {
    const gate = await openGate({
      server: {handshake_timeout: '1s', limits: {accept_rate: 1, accept_burst: 1, handshakes: 1}},
    });
    const first = await gate.dial('device001');
    await first.alive();
    const waiting = await Promise.all(Array.from({length: 10}, () => dialTcp(gate.port)));
    // At one a second, ten would take ten seconds, and the last would begin when nobody is there any more.
    await Promise.all(waiting.map(({over}) => over));
    await vi.waitFor(() => expect(gate.counters.connections).toBe(1));
    const {timeout} = counted(gate.server, 'handshakeFailures');
    expect(timeout).toBe(10);
    await first.alive();
  });

  it('is ended by the stop of the server, those who wait included', async () => {
    const gate = await openGate({server: {limits: {accept_rate: 1, accept_burst: 1, handshakes: 1}}});
    const waiting = await Promise.all(Array.from({length: 5}, () => dialTcp(gate.port)));
    await vi.waitFor(() => expect(gate.counters.connections).toBe(5));
    await gate.server.stop();
    await Promise.all(waiting.map(({over}) => over));
    await expectEmpty(gate);
  });
});

describe('admission', () => {
  const limits = {maxConnections: 6, perAddress: 3, acceptRate: 10, acceptBurst: 4, handshakes: 3};

  it('counts right through any comings and goings', () => {
    const step = fc.oneof(
      fc.record({kind: fc.constantFrom('arrive', 'leave'), address: fc.constantFrom('a', 'b', 'c')}),
      fc.record({kind: fc.constantFrom('begin', 'end'), address: fc.constant('')}),
      fc.record({kind: fc.constant('wait'), address: fc.constant(''), ms: fc.nat(500)}),
    );
    fc.assert(
      fc.property(fc.array(step, {maxLength: 80}), (steps) => {
        let now = 0;
        const admission = new Admission(limits, now);
        const here: string[] = [];
        const begun: number[] = [];
        let inFlight = 0;
        for (const {kind, address, ...rest} of steps) {
          if (kind === 'wait') now += (rest as {ms: number}).ms;
          else if (kind === 'arrive') {
            const ofAddress = here.filter((one) => one === address).length;
            const wanted =
              here.length >= limits.maxConnections
                ? 'max_connections'
                : ofAddress >= limits.perAddress
                  ? 'per_address'
                  : undefined;
            expect(admission.arrived(address)).toBe(wanted);
            if (wanted === undefined) here.push(address);
          } else if (kind === 'leave' && here.includes(address)) {
            here.splice(here.indexOf(address), 1);
            admission.left(address);
          } else if (kind === 'begin') {
            if (!admission.mayBegin(now)) continue;
            inFlight++;
            begun.push(now);
            expect(inFlight).toBeLessThanOrEqual(limits.handshakes);
            // In no window are there more than the burst and what the rate has earned meanwhile.
            for (const [index, since] of begun.entries()) {
              const earned = ((now - since) * limits.acceptRate) / 1000;
              expect(begun.length - index).toBeLessThanOrEqual(limits.acceptBurst + earned + 1e-6);
            }
          } else if (kind === 'end' && inFlight > 0) {
            inFlight--;
            admission.ended();
          }
          expect([admission.connections, admission.handshakes]).toEqual([here.length, inFlight]);
        }
      }),
      {numRuns: 500},
    );
  });
});
