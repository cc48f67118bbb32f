import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {dispense, type PaynetClient} from '../../src/lib/device/index.js';
import {type LoginRsp, type RegisterRsp, ResultCode} from '../../src/lib/registry/index.js';
import {folderWith} from '../hooks/support.js';
import {openPile, pileAdapter} from './pile.js';
import {type OrderShown, openTill, type Till} from './till.js';

const HOOKS = `
import {appendFileSync} from 'node:fs';
import {join} from 'node:path';

export default {
  register: ({deviceSn}) => (deviceSn === 'box-sold' ? {refuse: 'this box was sold'} : true),
  login: async ({deviceId}) => (deviceId.endsWith('-unpaid') ? {refuse: 'the rent is not paid'} : true),
  order({orderNo, deviceId, kind, coins, portNo, amountCent}) {
    appendFileSync(join(import.meta.dirname, 'asked'), [orderNo, deviceId, kind, coins, portNo, amountCent].join() + '\\n');
    if (coins === 7) throw new Error('the database of the project is away');
    return coins > 10 ? {refuse: 'at most 10 coins'} : true;
  },
};
`;

interface Site {
  till: Till;
  /** What the order hook was asked. */
  asked(): Promise<string[]>;
}

async function open(): Promise<Site> {
  const folder = folderWith({'hooks.mjs': HOOKS, asked: ''});
  const config = {hooks: {module: join(folder, 'hooks.mjs')}, observe: {addr: '127.0.0.1:0'}};
  return {
    till: await openTill({config, extras: {adapters: [pileAdapter]}}),
    asked: async () => (await readFile(join(folder, 'asked'), 'utf8')).split('\n').slice(0, -1),
  };
}

/** Resolves with the next message of this name that a device receives. */
function received<T>(client: PaynetClient, wanted: string): Promise<T> {
  return new Promise((resolve) => {
    client.on('message', ({direction, name, message}) => {
      if (direction === 'received' && name === wanted) resolve(message as T);
    });
  });
}

async function box(till: Till, id: string): Promise<PaynetClient> {
  const client = await till.client(id);
  client.subscribe(
    0x04,
    dispense(async () => {}),
  );
  return client;
}

const flow = (id: string) => ({register: {deviceSn: id, model: 'PB-3', firmware: '1'}, login: {version: '1'}});

/** Begins to connect; what becomes of it the messages tell. */
const connect = (client: PaynetClient, id: string): void => void client.start(undefined, flow(id)).catch(() => {});

const place = (till: Till, orderNo: string, coins: number): Promise<OrderShown> =>
  till.http.post('/api/v1/coin-orders', {
    body: {order_no: orderNo, device_id: 'box001', coins, timeout_seconds: 30},
  });

describe('the hooks of a project', () => {
  it('keep a device from registering, and tell it why', async () => {
    const {till} = await open();
    const client = await box(till, 'box-sold');
    const answer = received<RegisterRsp>(client, 'RegisterRsp');
    connect(client, 'box-sold');
    expect(await answer).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: 'this box was sold', deviceId: ''});
    await expect(till.http.get('/api/v1/devices/box-sold')).rejects.toMatchObject({code: 'DEVICE_NOT_FOUND'});
    expect(till.server.isOnline('box-sold')).toBe(false);
  });

  it('keep a device from logging in, whatever protocol it speaks', async () => {
    const {till} = await open();
    const client = await box(till, 'box-unpaid');
    const answer = received<LoginRsp>(client, 'LoginRsp');
    connect(client, 'box-unpaid');
    expect(await answer).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: 'the rent is not paid', resumeToken: ''});
    expect(await till.http.get('/api/v1/devices/box-unpaid')).toMatchObject({online: false, model: 'PB-3'});
    await expect(openPile(till, 'pile-unpaid')).rejects.toThrow('has ended the connection');
    expect(till.server.isOnline('pile-unpaid')).toBe(false);
    await openPile(till, 'pile001');
  });

  it('are asked about an order before it is stored, and not again', async () => {
    const {till, asked} = await open();
    const client = await box(till, 'box001');
    await client.start(undefined, flow('box001'));
    await expect(place(till, 'O-1', 11)).rejects.toMatchObject({
      code: 'ORDER_REFUSED',
      status: 403,
      message: 'at most 10 coins',
    });
    await expect(till.order('O-1')).rejects.toMatchObject({code: 'ORDER_NOT_FOUND'});
    // It was never there, so the number is still free.
    await place(till, 'O-1', 10);
    await place(till, 'O-1', 10);
    await till.told('order.completed', 'O-1');
    expect(await place(till, 'O-1', 10)).toMatchObject({status: 'done'});
    await expect(place(till, 'O-1', 11)).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    expect(await asked()).toEqual(['O-1,box001,coin,11,,', 'O-1,box001,coin,10,,']);
  });

  it('are asked about charging, too', async () => {
    const {till, asked} = await open();
    const pile = await openPile(till, 'pile001');
    const body = {order_no: 'C-1', device_id: 'pile001', port_no: 2, charge_mode: 4, amount: 150};
    await till.http.post('/api/v1/charge-orders', {body});
    await pile.line(/ START 2 C-1 full$/);
    await till.http.post('/api/v1/charge-orders', {body});
    expect(await asked()).toEqual(['C-1,pile001,charge,,2,150']);
  });

  it('refuse when they fail, and the metrics count it', async () => {
    const {till} = await open();
    const client = await box(till, 'box001');
    await client.start(undefined, flow('box001'));
    await expect(place(till, 'O-1', 7)).rejects.toMatchObject({
      code: 'ORDER_REFUSED',
      status: 403,
      message: 'the server could not decide',
    });
    const metrics = await fetch(`http://127.0.0.1:${till.server.observeAddress?.port}/metrics`);
    expect(await metrics.text()).toMatch(/^paynet_hook_failures_total\{hook="order"\} 1$/m);
  });
});
