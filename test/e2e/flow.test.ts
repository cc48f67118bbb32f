import {afterEach, describe, expect, it} from 'vitest';
import {dispense} from '../../src/lib/device/index.js';
import {openSite, type Site} from './site.js';

let site: Site | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

describe('a payment box', () => {
  it('registers, logs in, beats, pays out and is asked about it', async () => {
    site = await openSite();
    const client = await site.client('device001');
    const coins: number[] = [];
    client.subscribe(
      0x04,
      dispense(async (order) => {
        for (let coin = 1; coin <= order.coins; coin++) {
          coins.push(coin);
          order.progress((coin / order.coins) * 100);
        }
      }),
    );
    const registered = site.next('registered');
    const loggedIn = site.next('loggedIn');
    await client.withHeartbeatInterval(100).start(undefined, {
      register: {deviceSn: 'device001', model: 'box', firmware: '1'},
      login: {version: '1.0.0'},
    });
    expect(await registered).toMatchObject({deviceId: 'device001', first: true, model: 'box'});
    expect(await loggedIn).toMatchObject({deviceId: 'device001', resumed: false, version: '1.0.0'});
    expect(await site.next('heartbeat')).toMatchObject({deviceId: 'device001'});
    const order = await site.server.coin({deviceId: 'device001', orderId: 'o-1', coins: 3, timeoutSeconds: 30});
    expect(order).toMatchObject({state: 'done', progress: 100, attempts: 1});
    expect(coins).toEqual([1, 2, 3]);
    expect(await client.query('o-1')).toMatchObject({orderId: 'o-1', state: 2, progress: 100, code: 0});
    expect(await client.query('o-2')).toMatchObject({orderId: 'o-2', code: 6});
  });
});
