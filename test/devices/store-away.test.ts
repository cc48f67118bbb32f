import pg from 'pg';
import {afterAll, beforeAll, describe, expect, it, vi} from 'vitest';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {allDevices, Bench, eventIds, eventsOfDevice, open, T} from './fixture.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

const patience = {timeout: 20_000, interval: 50};
const ids = async (bench: Bench): Promise<string[]> =>
  (await bench.store.read(eventIds)).map(({event_id: id}) => id.split(':').slice(0, 2).join(' '));

describe('while the store is away', () => {
  it('what came and went waits, and is written when it is back: the last time of each, every event once', async () => {
    const bench = new Bench(await open({engine: 'postgres', dsn: await postgres.newDatabase()}));
    const first = bench.comes('D1');
    bench.wheel.advance(1000);
    await vi.waitFor(async () => expect(await ids(bench)).toEqual(['device.online D1']), patience);

    await postgres.stop();
    bench.wheel.advance(500);
    first.connection.heardAt = bench.wheel.now;
    bench.goes(first);
    bench.wheel.advance(1000);
    await vi.waitFor(() => expect(bench.lines.map(({level}) => level)).toContain('warn'), patience);
    bench.comes('D2');
    const again = bench.comes('D1');
    bench.wheel.advance(200);
    again.connection.heardAt = bench.wheel.now;
    bench.goes(again);
    const lastSeen = bench.now;
    const {woken} = bench;

    await postgres.start();
    await vi.waitFor(async () => {
      bench.wheel.advance(1000);
      expect((await ids(bench)).length).toBe(5);
    }, patience);
    await vi.waitFor(async () => {
      bench.wheel.advance(1000);
      expect(await bench.store.read(allDevices)).toMatchObject([
        {device_id: 'D1', last_seen_at: lastSeen},
        {device_id: 'D2', last_seen_at: T + 2500},
      ]);
    }, patience);
    expect(await ids(bench)).toEqual([
      'device.online D1',
      'device.offline D1',
      'device.online D2',
      'device.online D1',
      'device.offline D1',
    ]);
    expect((await eventsOfDevice(bench.store, 'D1')).at(1)?.[1].last_seen_at).toBe(Math.floor((T + 1500) / 1000));
    expect(bench.woken).toBeGreaterThan(woken);
    // Said once a minute at most, and nothing was lost.
    expect(bench.lines.map(({level}) => level)).toEqual(['warn']);
  });

  it('nothing is piled up before a slow one', async () => {
    const dsn = await postgres.newDatabase();
    const bench = new Bench(await open({engine: 'postgres', dsn}));
    const {connection} = bench.comes('D1');
    const other = new pg.Client({connectionString: dsn});
    await other.connect();
    try {
      await other.query('begin');
      await other.query('lock table devices in exclusive mode');
      bench.wheel.advance(1000);
      await vi.waitFor(async () => expect(await ids(bench)).toEqual(['device.online D1']), patience);
      for (let turn = 0; turn < 20; turn += 1) {
        bench.wheel.advance(1000);
        connection.heardAt = bench.wheel.now;
      }
      await other.query('commit');
    } finally {
      await other.end();
    }
    // One batch and one of events; the next turn is the first that sees the rest.
    await vi.waitFor(() => expect(bench.store.figures.operations).toBe(2), patience);
    bench.wheel.advance(1000);
    await vi.waitFor(() => expect(bench.store.figures.operations).toBe(3), patience);
    expect(await bench.store.read(allDevices)).toMatchObject([{last_seen_at: T + 21_000}]);
  });

  it('what could not be written does not replace what came meanwhile', async () => {
    const bench = new Bench(await open());
    // No column holds it.
    const device = bench.comes('D1', {signal: 1.5});
    bench.wheel.advance(1000);
    device.connection.heardAt = bench.wheel.now;
    device.signal = 24;
    bench.goes(device);
    await bench.settled();
    expect(bench.lines).toMatchObject([{level: 'warn', fields: {code: 'STORE_REFUSED'}}]);
    await bench.pass(1);
    expect(await bench.store.read(allDevices)).toMatchObject([{rssi: 24, last_seen_at: T + 1000}]);
  });

  it('no more waits than there is room for, and what is lost is told', async () => {
    const bench = new Bench(await open());
    await bench.store.close();
    for (let device = 0; device <= 100_000; device += 1) bench.comes(`D${device}`);
    bench.wheel.advance(1000);
    await vi.waitFor(() => expect(bench.lines.map(({level}) => level)).toEqual(['warn', 'error']), patience);
    expect(bench.lines[1]?.fields).toEqual({events: 1000, lastSeen: 1});
    await bench.devices.stop();
    expect(bench.lines.at(-1)).toMatchObject({level: 'error', fields: {events: 99_001}});
  });
});
