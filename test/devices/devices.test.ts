import {describe, expect, it} from 'vitest';
import type {CloseReason} from '../../src/lib/session/index.js';
import {allDevices, Bench, eventIds, eventsOfDevice, open, T} from './fixture.js';

const start = async (): Promise<Bench> => new Bench(await open());

/** When the devices were last seen as it is stored, in seconds of the test. */
async function stored(bench: Bench): Promise<Record<string, number>> {
  const rows = await bench.store.read(allDevices);
  return Object.fromEntries(rows.map(({device_id: id, last_seen_at: at}) => [id, (at - T) / 1000]));
}

describe('when devices were last seen', () => {
  it('is written of all that are online once in sixty turns, in batches, and only where they were heard', async () => {
    const bench = await start();
    const devices = Array.from({length: 10_000}, (_, index) => bench.comes(`D${index}`));
    await bench.pass(1);
    // Twenty batches of rows, twenty of events, each in one operation.
    expect(bench.operations).toBe(40);
    expect(bench.woken).toBe(20);
    await bench.pass(60);
    expect(bench.operations, 'nobody was heard since').toBe(40);

    bench.wheel.advance(500);
    for (const [index, {connection}] of devices.entries()) if (index % 2 === 0) connection.heardAt = bench.wheel.now;
    const heard = bench.wheel.now / 1000;
    const counts: number[] = [];
    for (let turn = 0; turn < 60; turn += 1) {
      const before = bench.operations;
      await bench.pass(1);
      counts.push(bench.operations - before);
    }
    expect(Math.max(...counts), 'one in sixty fit into one operation').toBe(1);
    const rows = await stored(bench);
    expect(devices.filter(({deviceId}, index) => rows[deviceId] !== (index % 2 === 0 ? heard : 0))).toEqual([]);
    const after = bench.operations;
    await bench.pass(60);
    expect(bench.operations).toBe(after);
  });

  it('costs nothing when devices are heard: only the turn writes', async () => {
    const bench = await start();
    const device = bench.comes('D1');
    await bench.pass(1);
    const before = bench.operations;
    for (let beat = 0; beat < 1000; beat += 1) device.connection.heardAt = bench.wheel.now + beat / 1000;
    await bench.settled();
    expect(bench.operations).toBe(before);
    await bench.pass(1);
    expect(bench.operations).toBe(before + 1);
  });

  it('goes round while devices come and go', async () => {
    const bench = await start();
    const devices = Array.from({length: 600}, (_, index) => bench.comes(`D${index}`));
    await bench.pass(20);
    for (const device of devices.filter((_, index) => index % 3 === 0)) bench.goes(device);
    for (let index = 0; index < 100; index += 1) bench.comes(`N${index}`);
    await bench.pass(1);
    bench.wheel.advance(300);
    for (const {connection} of bench.table.values()) connection.heardAt = bench.wheel.now;
    const heard = bench.wheel.now / 1000;
    // The round that is under way, and a whole one.
    await bench.pass(120);
    const rows = await stored(bench);
    expect([...bench.table.keys()].filter((id) => rows[id] !== heard)).toEqual([]);
    expect(Object.keys(rows)).toHaveLength(700);
    expect(rows.D0).toBe(0);
  });

  it('is written at the end of a connection, with the next batch', async () => {
    const bench = await start();
    const device = {...bench.comes('D1'), signal: -71};
    bench.table.set('D1', device);
    await bench.pass(1);
    bench.wheel.advance(250);
    device.connection.heardAt = bench.wheel.now;
    bench.wheel.advance(500);
    bench.goes(device);
    await bench.settled();
    expect(await stored(bench)).toEqual({D1: 0});
    await bench.pass(1);
    expect(await stored(bench)).toEqual({D1: 1.25});
    expect(await bench.store.read(allDevices)).toMatchObject([{rssi: -71, protocol: 'paynet', registered_at: T}]);
  });

  it('is written at the stop of those that have just gone, with their events; then nothing is noted any more', async () => {
    const bench = await start();
    const devices = Array.from({length: 1200}, (_, index) => bench.comes(`D${index}`));
    await bench.pass(1);
    bench.wheel.advance(700);
    for (const device of devices) {
      device.connection.heardAt = bench.wheel.now;
      bench.goes(device, 'shutdown');
    }
    const before = bench.operations;
    await Promise.all([bench.devices.stop(), bench.devices.stop()]);
    expect(bench.operations).toBe(before + 6);
    expect(new Set(Object.values(await stored(bench)))).toEqual(new Set([1.7]));
    expect(await bench.store.read(eventIds)).toHaveLength(2400);
    bench.goes(bench.comes('late'));
    await bench.devices.stop();
    await bench.pass(5);
    expect(bench.operations).toBe(before + 6);
    expect(bench.wheel.size).toBe(0);
  });
});

describe('the events of devices', () => {
  it('tell that a device came, and that it went, with the last time it was heard', async () => {
    const bench = await start();
    const first = bench.comes('D1', {resumed: true});
    await bench.pass(3);
    first.connection.heardAt = 2000;
    bench.goes(first, 'heartbeat_timeout');
    await bench.pass(1);
    bench.comes('D1');
    await bench.pass(1);
    const at = T / 1000;
    expect(await eventsOfDevice(bench.store, 'D1')).toEqual([
      ['device.online', {at, reason: 'resumed', last_seen_at: at}],
      ['device.offline', {at: at + 3, reason: 'heartbeat_timeout', last_seen_at: at + 2}],
      ['device.online', {at: at + 4, reason: 'login', last_seen_at: at + 4}],
    ]);
    expect(bench.woken).toBe(3);
  });

  it('tell nothing of a login on the same connection or of a newer connection in its place', async () => {
    const bench = await start();
    const first = bench.comes('D1');
    await bench.pass(1);
    bench.devices.loggedIn(first, true);
    const second = bench.comes('D1');
    bench.goes(first, 'replaced');
    await bench.pass(2);
    expect(await bench.store.read(eventIds)).toHaveLength(1);
    expect(bench.devices.isOnline('D1')).toBe(true);
    bench.goes(second);
    await bench.pass(1);
    expect((await eventsOfDevice(bench.store, 'D1')).map(([type]) => type)).toEqual([
      'device.online',
      'device.offline',
    ]);
  });

  it('are others after a restart, although the connections are numbered alike', async () => {
    const store = await open();
    for (let starts = 0; starts < 2; starts += 1) {
      const bench = new Bench(store);
      expect(bench.comes('D1').connection.id).toBe('c1');
      await bench.devices.stop();
    }
    expect(await store.read(eventIds)).toHaveLength(2);
  });

  it('wake nobody when there are none', async () => {
    const bench = await start();
    const {connection} = bench.comes('D1');
    await bench.pass(1);
    connection.heardAt = bench.wheel.now;
    await bench.pass(5);
    expect(bench.woken).toBe(1);
  });
});

describe('registration', () => {
  it('answers whether it is the first, and wakes the sender of events only then', async () => {
    const bench = await start();
    const box = {deviceId: 'D1', protocol: 'paynet', model: 'PB-3', firmware: '1.0'};
    expect([await bench.devices.register(box), bench.woken]).toEqual([{first: true}, 1]);
    expect([await bench.devices.register(box), bench.woken]).toEqual([{first: false}, 1]);
  });

  it("stores a stranger's words only as far as they are fit to be shown", async () => {
    const bench = await start();
    await bench.devices.register({
      deviceId: 'D1',
      protocol: 'paynet',
      model: 'PB\0\n\u202e',
      firmware: 'x'.repeat(10_000),
    });
    const device = await bench.devices.get('D1');
    expect(device?.model).toBe('PB\\x00\\x0a\\u{202e}');
    expect(device?.firmware).toHaveLength(128);
  });
});

describe('the score', () => {
  it('is of the connection as it is now', async () => {
    const bench = await start();
    const device = bench.comes('D1');
    expect([bench.devices.score('D1'), bench.devices.score('nobody')]).toEqual([100, 0]);
    await bench.pass(45);
    expect([bench.devices.score('D1'), bench.devices.isOnline('D1')]).toEqual([75, true]);
    await bench.pass(15);
    expect([bench.devices.score('D1'), bench.devices.isOnline('D1')]).toEqual([50, true]);
    bench.wheel.advance(1);
    expect([bench.devices.score('D1'), bench.devices.isOnline('D1')]).toEqual([0, false]);
    device.connection.heardAt = bench.wheel.now;
    expect(bench.devices.score('D1')).toBe(100);
    device.connection.open = false;
    expect([bench.devices.score('D1'), bench.devices.isOnline('D1')]).toEqual([0, false]);
  });

  it("goes by the protocol's own timeout", async () => {
    const bench = await start();
    bench.comes('D1', {protocol: 'bkv'});
    await bench.pass(75);
    expect(bench.devices.score('D1')).toBe(100);
    await bench.pass(75);
    expect([bench.devices.score('D1'), bench.devices.isOnline('D1')]).toEqual([50, true]);
    bench.wheel.advance(1);
    expect(bench.devices.isOnline('D1')).toBe(false);
  });

  it.each<[CloseReason, number]>([
    ['peer_closed', 80],
    ['connection_error', 80],
    ['heartbeat_timeout', 80],
    ['slow_reader', 80],
    ['frame_error', 80],
    ['replaced', 100],
    ['kicked', 100],
    ['certificate_revoked', 100],
    ['shutdown', 100],
    ['internal_error', 100],
  ])('of a new connection after %s is %i', async (reason, score) => {
    const bench = await start();
    bench.goes(bench.comes('D1'), reason);
    expect(bench.devices.score('D1')).toBe(0);
    await bench.pass(2);
    bench.comes('D1');
    expect(bench.devices.score('D1')).toBe(score);
  });

  it('has its penalties for five minutes', async () => {
    const bench = await start();
    bench.goes(bench.comes('D1'));
    const {connection} = bench.comes('D1');
    bench.wheel.advance(10_000);
    bench.devices.ackTimedOut('D1');
    connection.heardAt = bench.wheel.now;
    expect(bench.devices.score('D1')).toBe(50);
    const later = (ms: number): number => {
      bench.wheel.advance(ms);
      connection.heardAt = bench.wheel.now;
      return bench.devices.score('D1');
    };
    expect([later(290_000), later(1), later(9999), later(1)]).toEqual([50, 70, 70, 100]);
  });
});
