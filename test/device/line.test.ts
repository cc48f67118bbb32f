import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createClientRoom, dispense, type PaynetClient} from '../../src/lib/device/index.js';
import {openSite, type Site} from '../e2e/site.js';
import {type Line, openProxy} from './proxy.js';
import {FLOW, next, trace} from './trace.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

async function through(proxy: Line, more: object = {}): Promise<PaynetClient> {
  return site.client('device001', {...more, client: {addr: `127.0.0.1:${proxy.port}`}});
}

describe('a bad line', () => {
  it('that cuts is left, and taken up again with both sessions', async () => {
    const proxy = await openProxy(site.server.address.port);
    const client = await through(proxy);
    const seen = trace(client);
    await client.start(undefined, FLOW);
    for (let round = 0; round < 5; round++) {
      const offline = next(client, 'offline');
      proxy.cut();
      expect((await offline).reason).toBe('connection_error');
      expect(await next(client, 'online')).toMatchObject({resumed: true, tlsResumed: true});
    }
    await client.stop();
    const round = ['offline', 'retry', 'online resumed'];
    expect(seen).toEqual(['online', ...round, ...round, ...round, ...round, ...round, 'offline']);
  });

  it('that has gone dead is noticed by the heartbeats', async () => {
    const proxy = await openProxy(site.server.address.port);
    const room = createClientRoom();
    const client = await through(proxy, {extras: {room}});
    await client.withHeartbeatInterval(1000).start(undefined, FLOW);
    room.wheel.stop();
    proxy.hole = true;
    const offline = next(client, 'offline');
    // Not before the time of two heartbeats and ten seconds for the answer.
    for (let second = 0; second < 11; second++) room.wheel.advance(1000);
    expect(client.online).toBe(true);
    for (let second = 0; second < 5; second++) room.wheel.advance(1000);
    expect((await offline).reason).toBe('heartbeat_timeout');
    proxy.hole = false;
    room.wheel.start();
    expect(await next(client, 'online')).toMatchObject({resumed: true});
    await client.stop();
    expect(room.wheel.size).toBe(0);
    room.wheel.stop();
  });

  it('that is dead when it is stopped does not hold it up', async () => {
    const proxy = await openProxy(site.server.address.port);
    const client = await through(proxy);
    await client.start(undefined, FLOW);
    proxy.hole = true;
    await client.stop();
    expect(client.online).toBe(false);
  });

  it('that passes single bytes, and late ones, changes nothing', async () => {
    const proxy = await openProxy(site.server.address.port);
    proxy.single = true;
    const client = await through(proxy);
    client.subscribe(
      0x04,
      dispense(async () => {}),
    );
    await client.withHeartbeatInterval(50).start(undefined, FLOW);
    const order = await site.server.coin({deviceId: 'device001', orderId: 'bytes', coins: 1, timeoutSeconds: 30});
    expect(order.state).toBe('done');
    proxy.delayMs = 20;
    await next(client, 'heartbeat');
    const {roundTripMs} = await next(client, 'heartbeat');
    expect(roundTripMs).toBeGreaterThan(30);
    await client.stop();
  });

  it('is tried again when it breaks in the handshake or in the login, wherever that is', async () => {
    const proxy = await openProxy(site.server.address.port);
    let cut = 0;
    for (let after = 1; after < 6000; after += 611) {
      const client = await through(proxy);
      proxy.cutAfter(after);
      const seen = trace(client);
      await client.start(undefined, FLOW);
      if (seen.includes('retry')) cut++;
      await client.stop();
      proxy.cutAfter(Number.POSITIVE_INFINITY);
    }
    expect(cut).toBeGreaterThan(3);
  });

  it('keeps the resume token when it breaks in the login', async () => {
    const proxy = await openProxy(site.server.address.port);
    const client = await through(proxy);
    const seen = trace(client, true);
    await client.start(undefined, FLOW);
    client.on('message', function cutOnce({direction, name}) {
      if (direction !== 'sent' || name !== 'LoginReq') return;
      client.off('message', cutOnce);
      proxy.cut();
    });
    client.drop();
    expect(await next(client, 'online')).toMatchObject({resumed: true});
    expect(seen.filter((what) => what === 'sent LoginReq')).toHaveLength(3);
    expect(seen.filter((what) => what === 'sent RegisterReq')).toHaveLength(1);
    await client.stop();
  });
});
