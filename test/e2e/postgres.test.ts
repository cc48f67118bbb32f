import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, onTestFinished, vi} from 'vitest';
import {type Client, createClient} from '../../src/lib/client/index.js';
import {dispense, type PaynetClient} from '../../src/lib/device/index.js';
import {PaynetServer} from '../../src/lib/server.js';
import {tempFolder} from '../device/folder.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {quiet} from './site.js';
import {type OrderShown, openTill, type Till} from './till.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

interface Parts {
  till: Till;
  /** What a second server over the same database needs beside its address. */
  config: object;
}

async function open(): Promise<Parts> {
  const config = {
    store: {engine: 'postgres', dsn: await postgres.newDatabase(), pool: 4},
    api: {addr: '127.0.0.1:0', master_key: join(await tempFolder(), 'paynet.key')},
    observe: {addr: '127.0.0.1:0'},
  };
  return {till: await openTill({config}), config};
}

/** A box that is not started yet. */
async function box(till: Till, payOut = async (_orderId: string): Promise<void> => {}): Promise<PaynetClient> {
  const client = await till.client('box001');
  client.subscribe(
    0x04,
    dispense(({orderId}) => payOut(orderId)),
  );
  return client;
}

const FLOW = {register: {deviceSn: 'box001', model: 'PB-3', firmware: '1'}, login: {version: '1'}};

const place = (http: Client, orderNo: string, more: object = {}): Promise<OrderShown> =>
  http.post('/api/v1/coin-orders', {
    body: {order_no: orderNo, device_id: 'box001', coins: 3, timeout_seconds: 60, ...more},
  });

const isDone = (http: Client, orderNo: string): Promise<void> =>
  vi.waitFor(
    async () => expect(await http.get(`/api/v1/orders/${orderNo}`)).toMatchObject({status: 'done', progress: 100}),
    {timeout: 15_000},
  );

describe('a server over PostgreSQL', () => {
  it('pays out, and finds its open orders when it starts again', async () => {
    const {till, config} = await open();
    const executed: string[] = [];
    let mayEnd = (): void => {};
    const gate = new Promise<void>((resolve) => {
      mayEnd = resolve;
    });
    const client = await box(till, async (orderId) => {
      executed.push(orderId);
      if (orderId === 'O-2') await gate;
    });
    await place(till.http, 'O-0', {keep_seconds: 600});
    await client.start(undefined, FLOW);
    await till.told('order.completed', 'O-0');
    await place(till.http, 'O-1');
    await till.told('order.completed', 'O-1');
    expect(till.types('O-1').at(-1)).toBe('order.completed');
    await place(till.http, 'O-2');
    await till.told('order.confirmed', 'O-2');
    const {port} = till.server.address;
    await till.server.stop();
    // It ends while there is no server.
    mayEnd();
    const server = {addr: `127.0.0.1:${port}`, drain_timeout: '50ms', tls: till.serverTls};
    const again = new PaynetServer({server, ...config} as never, {log: quiet});
    onTestFinished(() => again.stop());
    await again.start();
    const origin = `http://127.0.0.1:${again.apiAddress?.port}`;
    const {key, hmacSecret} = till.key;
    const http = createClient({server: origin, key, hmacSecret, timeoutMs: 10_000});
    await isDone(http, 'O-2');
    expect(await place(http, 'O-2')).toMatchObject({status: 'done', attempts: 1});
    await place(http, 'O-3');
    await isDone(http, 'O-3');
    expect(executed).toEqual(['O-0', 'O-1', 'O-2', 'O-3']);
    expect((await http.get<{total: number}>('/api/v1/orders')).total).toBe(4);
  });

  it('says so while the database is away, and goes on when it is back', async () => {
    const {till} = await open();
    const client = await box(till);
    await client.start(undefined, FLOW);
    await place(till.http, 'O-1');
    await till.told('order.completed', 'O-1');
    const ready = async (): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${till.server.observeAddress?.port}/readyz`);
      return [response.status, await response.json()];
    };
    expect(await ready()).toEqual([200, {ready: true, reasons: []}]);
    let isAway = true;
    await postgres.stop();
    onTestFinished(() => (isAway ? postgres.start() : undefined));
    await expect(place(till.http, 'O-2')).rejects.toMatchObject({code: 'UNAVAILABLE', status: 503});
    await vi.waitFor(
      async () => expect(await ready()).toEqual([503, {ready: false, reasons: ['the database is away']}]),
      {timeout: 15_000},
    );
    expect(till.server.isOnline('box001')).toBe(true);
    await postgres.start();
    isAway = false;
    await vi.waitFor(async () => expect(await ready()).toEqual([200, {ready: true, reasons: []}]), {timeout: 20_000});
    await place(till.http, 'O-2');
    await till.told('order.completed', 'O-2');
    expect(await till.order('O-2')).toMatchObject({status: 'done', attempts: 1});
  }, 60_000);
});
