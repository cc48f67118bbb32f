import {afterEach, describe, expect, it} from 'vitest';
import {dispense} from '../../src/lib/device/index.js';
import {FLOW, next} from '../device/trace.js';
import {openSite, type Site} from '../e2e/site.js';
import {collectingLog} from '../observe/collect.js';
import {freePort, RedisServer} from './redis.js';

let site: Site | undefined;
afterEach(async () => {
  await site?.close();
  site = undefined;
});

async function readiness(of: Site): Promise<{status: number; body: string}> {
  const {host, port} = of.server.observeAddress!;
  const response = await fetch(`http://${host}:${port}/readyz`);
  return {status: response.status, body: await response.text()};
}

async function untilReady(of: Site): Promise<void> {
  while ((await readiness(of)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
}

const ORDER = {deviceId: 'device001', coins: 1, timeoutSeconds: 30};

describe('a server whose Redis is away', () => {
  it('starts, is not ready and takes no order, until Redis is there', async () => {
    const redis = new RedisServer(await freePort(), 'planted-password');
    const {log, text} = collectingLog();
    site = await openSite({
      config: {idempotency: {backend: 'redis', dsn: redis.dsn}, observe: {addr: '127.0.0.1:0'}},
      extras: {log},
    });
    expect(await readiness(site)).toMatchObject({status: 503, body: expect.stringContaining('Redis is away')});
    await expect(site.server.coin({...ORDER, orderId: 'o-1'})).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});

    const executed: string[] = [];
    const client = await site.client('device001');
    client.subscribe(
      0x04,
      dispense(async ({orderId}) => void executed.push(orderId)),
    );
    // Who is known stands in the database.
    await client.start(undefined, FLOW);
    await expect(site.server.coin({...ORDER, orderId: 'o-1'})).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    await redis.start();
    await untilReady(site);
    expect(await site.server.coin({...ORDER, orderId: 'o-1'})).toMatchObject({state: 'done'});

    // Away again: a device that is known may stay and come back, but nothing new is paid.
    await redis.kill();
    while ((await readiness(site)).status === 200) await new Promise((resolve) => setTimeout(resolve, 20));
    const online = next(client, 'online');
    client.drop();
    expect(await online).toMatchObject({resumed: true});
    await expect(site.server.coin({...ORDER, orderId: 'o-2'})).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    await redis.start();
    await untilReady(site);
    // Redis has lost everything: what has been executed is still known.
    expect(await site.server.coin({...ORDER, orderId: 'o-1'})).toMatchObject({state: 'done'});
    expect(await site.server.coin({...ORDER, orderId: 'o-2'})).toMatchObject({state: 'done'});
    expect(executed).toEqual(['o-1', 'o-2']);
    expect(text()).toContain('Redis is away');
    expect(text()).not.toContain('planted-password');
  });

  it('refuses within about a second while Redis hangs, and goes on after it', async () => {
    const redis = await new RedisServer(await freePort()).start();
    site = await openSite({config: {idempotency: {backend: 'redis', dsn: redis.dsn}, observe: {addr: '127.0.0.1:0'}}});
    const client = await site.client('device001');
    client.subscribe(
      0x04,
      dispense(async () => {}),
    );
    await client.start(undefined, FLOW);
    redis.stop();
    await expect(site.server.coin({...ORDER, orderId: 'o-1'})).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    redis.go();
    await untilReady(site);
    expect(await site.server.coin({...ORDER, orderId: 'o-1'})).toMatchObject({state: 'done'});
  });
});

describe('two servers with one Redis', () => {
  it('take an order once: the second asks the device before it sends', async () => {
    const redis = await new RedisServer(await freePort()).start();
    const config = {idempotency: {backend: 'redis', dsn: redis.dsn}};
    site = await openSite({config});
    const {PaynetServer} = await import('../../src/lib/server.js');
    const {quiet} = await import('../e2e/site.js');
    const other = new PaynetServer({server: {addr: '127.0.0.1:0', tls: site.serverTls}, ...config} as never, {
      log: quiet,
    });
    await other.start();
    const executed: string[] = [];
    const client = await site.client('device001');
    client.subscribe(
      0x04,
      dispense(async ({orderId}) => void executed.push(orderId)),
    );
    await client.start(undefined, FLOW);
    expect(await site.server.coin({...ORDER, orderId: 'o-1'})).toMatchObject({state: 'done', attempts: 1});
    // The device is not here, and the order is known: nothing is sent.
    await expect(other.coin({...ORDER, orderId: 'o-1'})).rejects.toMatchObject({code: 'DEVICE_OFFLINE'});
    await expect(other.coin({...ORDER, coins: 2, orderId: 'o-1'})).rejects.toMatchObject({code: 'ORDER_CONFLICT'});
    expect(executed).toEqual(['o-1']);
    await other.stop();
  });
});
