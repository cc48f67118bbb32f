import {describe, expect, it} from 'vitest';
import {Bench, open, T} from './fixture.js';

/** Ten devices that are here, a second apart, ten that went before, one that has registered and never come. */
async function populated(): Promise<Bench> {
  const bench = new Bench(await open());
  await bench.devices.register({deviceId: 'N', protocol: 'paynet', model: 'PB-3', firmware: '1.0'});
  for (let index = 0; index < 10; index += 1) {
    const device = bench.comes(`A${index}`);
    await bench.pass(1);
    bench.goes(device);
  }
  for (let index = 0; index < 10; index += 1) {
    bench.comes(`H${index}`);
    await bench.pass(1);
  }
  return bench;
}

const idsOf = ({items}: {items: readonly {deviceId: string}[]}): string =>
  items.map(({deviceId}) => deviceId).join(' ');

describe('a device', () => {
  it('is its row with what its connection says', async () => {
    const bench = new Bench(await open());
    expect(await bench.devices.get('D1')).toBeUndefined();
    await bench.devices.register({deviceId: 'D1', protocol: 'paynet', model: 'PB-3', firmware: '1.0'});
    const row = {deviceId: 'D1', protocol: 'paynet', model: 'PB-3', firmware: '1.0', rssi: null, registeredAt: T};
    expect(await bench.devices.get('D1')).toEqual({...row, lastSeenAt: T, online: false, score: 0});
    const device = bench.comes('D1');
    await bench.pass(2);
    device.connection.heardAt = 1500;
    device.signal = 24;
    expect(await bench.devices.get('D1')).toEqual({...row, rssi: 24, lastSeenAt: T + 1500, online: true, score: 100});
    bench.goes(device);
    await bench.pass(1);
    expect(await bench.devices.get('D1')).toEqual({...row, rssi: 24, lastSeenAt: T + 1500, online: false, score: 0});
  });

  it('is there as soon as it has logged in, stored or not', async () => {
    const bench = new Bench(await open());
    bench.comes('D1');
    const at = {registeredAt: T, lastSeenAt: T};
    const device = {deviceId: 'D1', protocol: 'paynet', model: null, firmware: null, rssi: null, ...at};
    expect(await bench.devices.get('D1')).toEqual({...device, online: true, score: 100});
    expect(idsOf(await bench.devices.list({limit: 10, offset: 0, online: true}))).toBe('D1');
    await bench.pass(1);
    expect(await bench.devices.get('D1')).toEqual({...device, online: true, score: 100});
  });
});

describe('the list of devices', () => {
  it('begins with those that were seen last', async () => {
    const bench = await populated();
    const page = await bench.devices.list({limit: 3, offset: 9});
    expect([idsOf(page), page.total]).toEqual(['H0 A9 A8', 21]);
    expect(page.items.map(({online}) => online)).toEqual([true, false, false]);
    expect(idsOf(await bench.devices.list({limit: 100, offset: 20}))).toMatch(/^(A0|N)$/);
    expect(await bench.devices.list({limit: 100, offset: 21})).toEqual({items: [], total: 21});
  });

  it('has the pages of those that are online, by their score', async () => {
    const bench = await populated();
    const all = await bench.devices.list({limit: 100, offset: 0, online: true});
    expect([idsOf(all), all.total]).toEqual(['H0 H1 H2 H3 H4 H5 H6 H7 H8 H9', 10]);
    expect(all.items.every(({online, score}) => online && score === 100)).toBe(true);
    const page = await bench.devices.list({limit: 4, offset: 8, online: true});
    expect([idsOf(page), page.total]).toEqual(['H8 H9', 10]);
    expect(await bench.devices.count()).toEqual({known: 21, online: 10});
    // H0 and H1 are still connected, and silent for too long.
    await bench.pass(52);
    const later = await bench.devices.list({limit: 3, offset: 0, online: true});
    expect([idsOf(later), later.total]).toEqual(['H2 H3 H4', 8]);
    expect(await bench.devices.count()).toEqual({known: 21, online: 8});
  });

  it('has the pages of those that are not, the longest away first', async () => {
    const bench = await populated();
    const pages = [];
    for (let offset = 0; offset < 12; offset += 4) {
      pages.push(await bench.devices.list({limit: 4, offset, online: false}));
    }
    expect(pages.map(({total}) => total)).toEqual([11, 11, 11]);
    expect(pages.map(idsOf).join(' ')).toMatch(/^(A0 N|N A0) A1 A2 A3 A4 A5 A6 A7 A8 A9$/);
    expect(pages.flatMap(({items}) => items).some(({online, score}) => online || score > 0)).toBe(false);
    await bench.pass(52);
    const silent = await bench.devices.list({limit: 10, offset: 11, online: false});
    expect([idsOf(silent), silent.total]).toEqual(['H0 H1', 13]);
    expect(silent.items[0]).toMatchObject({online: false, score: 0, lastSeenAt: T + 10_000});
  });

  it('passes over any number of those that are online, and takes the rows of any number', async () => {
    const bench = new Bench(await open());
    const {connection} = bench.comes('first');
    for (let index = 0; index < 2500; index += 1) bench.comes(`D${index}`);
    await bench.pass(1);
    // Written last, and the only one that is not online.
    bench.goes({deviceId: 'gone', protocol: 'paynet', connection: {...connection, id: 'c0', heardAt: bench.wheel.now}});
    await bench.pass(1);
    const away = await bench.devices.list({limit: 10, offset: 0, online: false});
    expect([idsOf(away), away.total]).toEqual(['gone', 1]);
    const here = await bench.devices.list({limit: 1000, offset: 1001, online: true});
    expect([here.items.length, here.total]).toEqual([1000, 2501]);
    expect(here.items.at(0)?.deviceId).toBe('D1000');
  });
});
