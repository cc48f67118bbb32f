import {describe, expect, it, vi} from 'vitest';
import {createDevices, type Devices} from '../../src/lib/devices/index.js';
import type {DeviceEvent} from '../../src/lib/link/index.js';
import {type BareGateway, openGateway} from '../link/gateway.js';
import {RawClient} from '../link/raw-client.js';
import {eventsOfDevice, open, silentLog} from './fixture.js';

/** The next event of a kind that the gateway tells, after those that were taken. */
async function happened<K extends DeviceEvent['kind']>(
  {events}: BareGateway,
  kind: K,
): Promise<DeviceEvent & {kind: K}> {
  return vi.waitFor(() => {
    const found = events.findIndex((event) => event.kind === kind);
    expect(found).toBeGreaterThanOrEqual(0);
    return events.splice(0, found + 1).at(-1) as DeviceEvent & {kind: K};
  });
}

describe('with real connections', () => {
  it('a device is heard by its frames, and seen last when it was heard last', async () => {
    const link = await openGateway();
    const {gateway} = link;
    const store = await open();
    let woken = 0;
    const devices: Devices = createDevices({
      store,
      online: gateway.devices,
      session: {timeoutMs: () => 60_000, freshness: 'graded'},
      wheel: gateway.wheel,
      log: silentLog,
      eventsStored: () => {
        woken += 1;
      },
    });
    const client = await RawClient.dial(link.port, await link.pair('device001'));
    await client.login('device001');
    const {driver, resumed} = await happened(link, 'loggedIn');
    devices.loggedIn(driver, resumed);
    expect([devices.score('device001'), devices.isOnline('device001')]).toEqual([100, true]);
    expect(driver.connection.heardAt).toBeLessThanOrEqual(gateway.wheel.now);

    gateway.wheel.advance(45_000);
    expect(devices.score('device001')).toBeLessThanOrEqual(75);
    const silent = driver.connection.heardAt;
    client.say('Ping', {timestamp: Date.now(), uptime: 1, signal: 24, ip: '10.0.0.1'});
    await client.hear('Pong');
    expect(driver.connection.heardAt).toBeGreaterThan(silent + 44_999);
    expect(devices.score('device001')).toBe(100);

    // The time passes; a piece of a frame is none.
    gateway.wheel.advance(20_000);
    const {bytesIn} = link.counters;
    client.write(Buffer.of(0, 0, 0));
    await vi.waitFor(() => expect(link.counters.bytesIn).toBe(bytesIn + 3));
    // The wheel's time is a sum of fractions.
    expect(gateway.wheel.now - driver.connection.heardAt).toBeGreaterThan(19_999);
    const before = await devices.get('device001');
    expect(before).toMatchObject({online: true, rssi: 24, protocol: 'paynet'});

    client.destroy();
    const gone = await happened(link, 'disconnected');
    devices.disconnected(gone.driver, gone.reason);
    await devices.stop();
    const after = await devices.get('device001');
    expect(after).toMatchObject({online: false, score: 0, rssi: 24});
    expect(woken).toBeGreaterThan(0);
    const [came, went] = await eventsOfDevice(store, 'device001');
    expect([came?.[0], came?.[1].reason, went?.[0]]).toEqual(['device.online', 'login', 'device.offline']);
    expect(went?.[1].last_seen_at).toBe(Math.floor((after?.lastSeenAt ?? 0) / 1000));
    expect(Number(went?.[1].at) - Number(went?.[1].last_seen_at)).toBeGreaterThanOrEqual(19);
  });
});
