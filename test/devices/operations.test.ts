import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {registerDevice, type Seen, tellPresence, touchDevices} from '../../src/lib/devices/operations.js';
import {byIds, devicesAwayLongest, devicesByIds, devicesPage, IDS} from '../../src/lib/devices/queries.js';
import type {Store, StoreTarget} from '../../src/lib/store/index.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {allDevices, eventIds, eventsOfDevice, open, sqliteTarget, T} from './fixture.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const box = {deviceId: 'D1', protocol: 'paynet', model: 'PB-3', firmware: '1.0', at: T};
const seen = (deviceId: string, at: number, rssi: number | null = null): Seen => ({
  deviceId,
  protocol: 'paynet',
  at,
  rssi,
});

describe.each(['sqlite', 'postgres'] as const)('devices on %s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()};
  const start = async (): Promise<Store> => open(await target());

  it('registers a device once, with its event; later only what it says of itself changes', async () => {
    const store = await start();
    expect(await store.run(registerDevice, box)).toEqual({first: true});
    const again = {...box, model: 'PB-4', firmware: '2.0', protocol: 'bkv', at: T + 5000};
    expect(await store.run(registerDevice, again)).toEqual({first: false});
    expect(await store.read(allDevices)).toEqual([
      {
        device_id: 'D1',
        protocol: 'bkv',
        model: 'PB-4',
        firmware: '2.0',
        iccid: null,
        imei: null,
        port_count: null,
        rssi: null,
        registered_at: T,
        last_seen_at: T + 5000,
      },
    ]);
    expect(await store.read(eventIds)).toEqual([{event_id: 'device.registered:D1'}]);
    expect(await eventsOfDevice(store, 'D1')).toEqual([
      [
        'device.registered',
        {iccid: null, imei: null, device_type: 'PB-3', firmware: '1.0', port_count: null, registered_at: T / 1000},
      ],
    ]);
  });

  it('tells one of fifty that register at once that it is the first', async () => {
    const store = await start();
    const answers = await Promise.all(Array.from({length: 50}, () => store.run(registerDevice, box)));
    expect(answers.filter(({first}) => first)).toHaveLength(1);
    expect(await store.read(eventIds)).toHaveLength(1);
  });

  it('gives a row to a device that never registered; its registration is still its first', async () => {
    const store = await start();
    await store.run(touchDevices, [seen('D1', T, -70)]);
    expect(await store.read(allDevices)).toMatchObject([
      {device_id: 'D1', model: null, rssi: -70, registered_at: T, last_seen_at: T},
    ]);
    expect(await store.read(eventIds)).toEqual([]);
    // One that says nothing of itself has registered nevertheless.
    expect(await store.run(registerDevice, {...box, model: '', at: T + 1000})).toEqual({first: true});
    expect(await store.run(registerDevice, {...box, model: '', at: T + 2000})).toEqual({first: false});
    expect(await store.read(allDevices)).toMatchObject([{rssi: -70, registered_at: T + 1000, last_seen_at: T + 2000}]);
    expect(await store.read(eventIds)).toHaveLength(1);
  });

  it('never moves the last time back, and keeps the signal where none is known', async () => {
    const store = await start();
    await store.run(touchDevices, [seen('D1', T + 10_000, -70), seen('D2', T)]);
    await store.run(touchDevices, [seen('D1', T + 9999, -1), seen('D2', T + 1)]);
    await store.run(registerDevice, {...box, at: T + 5000});
    expect(await store.read(allDevices)).toMatchObject([
      {device_id: 'D1', rssi: -70, last_seen_at: T + 10_000},
      {device_id: 'D2', rssi: null, last_seen_at: T + 1},
    ]);
    await store.run(touchDevices, [seen('D1', T + 11_000), seen('D2', T + 2, -60)]);
    expect(await store.read(allDevices)).toMatchObject([
      {rssi: -70, last_seen_at: T + 11_000},
      {rssi: -60, last_seen_at: T + 2},
    ]);
  });

  it('writes batches of the same devices side by side, whatever their order', async () => {
    const store = await start();
    const ids = Array.from({length: 200}, (_, index) => `D${index}`);
    const batches = Array.from({length: 8}, (_, n) => ids.map((id) => seen(id, T + n)));
    for (const [n, batch] of batches.entries()) if (n % 2 === 1) batch.reverse();
    await Promise.all(batches.map((batch) => store.run(touchDevices, batch)));
    const rows = await store.read(allDevices);
    expect(rows).toHaveLength(200);
    expect(new Set(rows.map(({last_seen_at: at}) => at))).toEqual(new Set([T + 7]));
  });

  it('takes five hundred at a time, not more', async () => {
    const store = await start();
    const many = Array.from({length: 501}, (_, index) => seen(`D${index}`, T));
    await expect(store.run(touchDevices, many)).rejects.toThrow(/501 .*500/);
    expect(await store.read(allDevices)).toEqual([]);
    await store.run(touchDevices, many.slice(1));
    expect(await store.read(allDevices)).toHaveLength(500);
    const news = many.map(({deviceId}) => ({...gone, deviceId}));
    await expect(store.run(tellPresence, news)).rejects.toThrow(/501 .*500/);
    expect(await store.read(eventIds)).toEqual([]);
  });

  const gone = {
    connection: 'r-c1',
    deviceId: 'D1',
    online: false,
    reason: 'peer_closed',
    at: T + 9000,
    lastSeenAt: T + 1234,
  };

  it('tells once that a device came or went, however often it is written', async () => {
    const store = await start();
    const came = {...gone, online: true, reason: 'login', at: T, lastSeenAt: T};
    await store.run(tellPresence, [came, gone]);
    await store.run(tellPresence, [came, {...gone, at: T + 10_000}]);
    expect(await store.read(eventIds)).toEqual([
      {event_id: 'device.online:D1:r-c1'},
      {event_id: 'device.offline:D1:r-c1'},
    ]);
    expect(await eventsOfDevice(store, 'D1')).toEqual([
      ['device.online', {at: T / 1000, reason: 'login', last_seen_at: T / 1000}],
      ['device.offline', {at: T / 1000 + 9, reason: 'peer_closed', last_seen_at: T / 1000 + 1}],
    ]);
  });

  it('finds devices by up to fifty ids', async () => {
    const store = await start();
    const ids = Array.from({length: IDS}, (_, index) => `D${index}`);
    await store.run(
      touchDevices,
      ids.map((id) => seen(id, T)),
    );
    const found = async (wanted: string[]) =>
      (await store.read(devicesByIds, byIds(wanted))).map(({device_id: id}) => id).sort();
    expect(await found(ids)).toEqual([...ids].sort());
    expect(await found(['D3', 'nobody', 'D1'])).toEqual(['D1', 'D3']);
  });

  it('finds pages by the index, in its order', async () => {
    const at = await target();
    await (await open(at)).close();
    const plans = [
      await explain(at, devicesPage, {limit: 100, offset: 0}),
      await explain(at, devicesAwayLongest, {afterAt: 1, afterId: 'D1', limit: 100}),
    ];
    for (const plan of plans.map((lines) => lines.join('\n'))) {
      expect(plan).toMatch(/devices_last_seen\b/);
      expect(plan).not.toMatch(/Sort|TEMP B-TREE|Seq Scan/);
    }
    // It is entered where the page before has ended, not walked from its start.
    expect(plans[1]?.join('\n')).toMatch(/SEARCH|Index Cond/);
  });
});
