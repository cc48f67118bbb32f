import {describe, expect, it, vi} from 'vitest';
import {createClient, type DiscrepancyData, pathOf} from '../../src/lib/client/index.js';
import {type CoinOrder, dispense, type Ledger, type PaynetClient} from '../../src/lib/device/index.js';
import {CoinAck, type CoinCommand, CoinState, type Pong} from '../../src/lib/registry/index.js';
import {type OrderShown, openTill, type Till} from './till.js';

interface Device {
  client: PaynetClient;
  executed: string[];
}

/** A box that is not started yet; `payOut` may hold it up. */
async function box(till: Till, payOut = async (_order: CoinOrder): Promise<void> => {}): Promise<Device> {
  const client = await till.client('box001');
  const executed: string[] = [];
  client.subscribe(
    0x04,
    dispense(async (order) => {
      executed.push(order.orderId);
      await payOut(order);
    }),
  );
  return {client, executed};
}

const comes = ({client}: Pick<Device, 'client'>): Promise<void> =>
  client.start(undefined, {register: {deviceSn: 'box001', model: 'PB-3', firmware: '1.4'}, login: {version: '1'}});

function place(
  till: Till,
  orderNo: string | undefined,
  more: object = {},
  idempotencyKey?: string,
): Promise<OrderShown> {
  const body = {...(orderNo && {order_no: orderNo}), device_id: 'box001', coins: 3, timeout_seconds: 30, ...more};
  return till.http.post('/api/v1/coin-orders', {body, idempotencyKey});
}

describe('a merchant with a payment box', () => {
  it('orders coins, and hears of every step in its order', async () => {
    const till = await openTill();
    const {promise: mayEnd, resolve: end} = gate();
    const device = await box(till, async (order) => {
      order.progress(50);
      await mayEnd;
    });
    await comes(device);
    const stream = await till.follow();
    expect(await place(till, 'O-1')).toMatchObject({order_no: 'O-1', kind: 'coin', coins: 3, ended_at: null});
    await stream.until(({event, data}) => event === 'order' && (data as OrderShown).progress === 50);
    expect(await till.http.get('/api/v1/devices/box001')).toMatchObject({
      online: true,
      score: 100,
      model: 'PB-3',
      firmware: '1.4',
      protocol: 'paynet',
      active_orders: [{order_no: 'O-1', status: 'running', progress: 50}],
    });
    expect(await till.http.get('/api/v1/stats')).toMatchObject({
      devices: {known: 1, online: 1},
      orders: {open: 1, waiting: 0},
      queue: {dead: 0},
    });
    end();
    expect((await till.told('order.completed', 'O-1')).data).toMatchObject({coins: 3});
    expect(await till.order('O-1')).toMatchObject({status: 'done', progress: 100, attempts: 1, error: null});
    expect(device.executed).toEqual(['O-1']);
    const types = till.types('O-1');
    expect(types[0]).toBe('order.created');
    expect(types.at(-1)).toBe('order.completed');
    await stream.until(
      ({event, data}) => event === 'event' && (data as {event_id: string}).event_id === `O-1:${types.length}`,
    );
    const events = await till.events('O-1');
    expect(events.map(({sequence_no}) => sequence_no)).toEqual(types.map((_, index) => index + 1));
    expect(events.map(({event_type, status}) => `${event_type} ${status}`)).toEqual(
      types.map((type) => `${type} pushed`),
    );
    expect(till.received.filter(({orderNo}) => orderNo === 'O-1').map(({sequence}) => sequence)).toEqual(
      types.map((_, index) => index + 1),
    );
    expect(till.refused).toEqual([]);
    const {orders, events: figures} = await till.http.get<Record<string, object>>('/api/v1/stats');
    expect(orders).toEqual({open: 0, waiting: 0});
    expect(figures).toMatchObject({waiting: 0, dead: 0, failed: 0});
    expect((await till.http.get<{devices: object[]; total: number}>('/api/v1/devices')).total).toBe(1);
  });

  it('must sign, with a secret that fits the key', async () => {
    const till = await openTill();
    const {key} = till.key;
    const plain = createClient({server: till.origin, key, timeoutMs: 5000});
    await expect(plain.get('/api/v1/devices')).rejects.toMatchObject({code: 'SIGNATURE_INVALID', status: 403});
    const wrong = createClient({server: till.origin, key, hmacSecret: 'not this one', timeoutMs: 5000});
    await expect(wrong.get('/api/v1/devices')).rejects.toMatchObject({code: 'SIGNATURE_INVALID'});
    const stranger = createClient({server: till.origin, key: `${key}x`, hmacSecret: 'any', timeoutMs: 5000});
    await expect(stranger.get('/api/v1/devices')).rejects.toMatchObject({code: 'UNAUTHORIZED', status: 401});
  });

  it('has one order for one number, and one answer for one Idempotency-Key', async () => {
    const till = await openTill();
    const device = await box(till);
    await comes(device);
    await place(till, 'O-1');
    await till.told('order.completed', 'O-1');
    expect(await place(till, 'O-1')).toMatchObject({order_no: 'O-1', status: 'done'});
    await expect(place(till, 'O-1', {coins: 4})).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT', status: 409});
    const first = await place(till, undefined, {}, 'key-1');
    expect(await place(till, undefined, {}, 'key-1')).toEqual(first);
    await expect(place(till, undefined, {coins: 4}, 'key-1')).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    await till.told('order.completed', first.order_no);
    const other = await place(till, undefined, {}, 'key-2');
    expect(other.order_no).not.toBe(first.order_no);
    await till.told('order.completed', other.order_no);
    expect(device.executed).toEqual(['O-1', first.order_no, other.order_no]);
    expect((await till.http.get<{total: number}>('/api/v1/orders', {kind: 'coin'})).total).toBe(3);
  });

  it('has its order refused while the device is away, unless it is kept', async () => {
    const till = await openTill();
    await expect(place(till, 'O-1')).rejects.toMatchObject({code: 'DEVICE_OFFLINE', status: 400});
    await expect(till.order('O-1')).rejects.toMatchObject({code: 'ORDER_NOT_FOUND', status: 404});
    expect(await place(till, 'O-2', {keep_seconds: 600})).toMatchObject({status: 'created', attempts: 0});
    expect(await place(till, 'O-3', {keep_seconds: 600})).toMatchObject({status: 'created'});
    const cancel = pathOf`/api/v1/orders/${'O-2'}/cancel`;
    expect(await till.http.post(cancel)).toMatchObject({status: 'cancelled', old_status: 'created'});
    await till.told('order.cancelled', 'O-2');
    const device = await box(till);
    await comes(device);
    await till.told('order.completed', 'O-3');
    expect(device.executed).toEqual(['O-3']);
    expect(await till.order('O-2')).toMatchObject({status: 'cancelled', attempts: 0});
    await expect(till.http.post(pathOf`/api/v1/orders/${'O-3'}/cancel`)).rejects.toMatchObject({
      code: 'ORDER_FINISHED',
      status: 409,
    });
  });

  it('sees what a device says against its order, and settles it once', async () => {
    const till = await openTill();
    const forgetful: Ledger = {get: () => undefined, put: async () => {}, entries: () => [], close: async () => {}};
    const client = await till.client('box001', {extras: {ledger: forgetful}});
    client.subscribe(0x04, async (context, {orderId}: CoinCommand) => {
      const ack = (state: CoinState, error = ''): void =>
        context.send('CoinAck', CoinAck.create({orderId, state, progress: 100, error}));
      ack(CoinState.COIN_DONE);
      ack(CoinState.COIN_FAILED, 'the hopper is stuck');
    });
    await comes({client});
    await place(till, 'O-1');
    await till.told('order.discrepancy', 'O-1');
    const listed = (resolved: boolean): Promise<{discrepancies: DiscrepancyData[]; total: number}> =>
      till.http.get('/api/v1/discrepancies', {resolved});
    const {discrepancies} = await listed(false);
    expect(discrepancies).toMatchObject([
      {order_no: 'O-1', device_id: 'box001', order_status: 'done', reported: {state: 'failed'}, resolved_at: null},
    ]);
    const resolve = pathOf`/api/v1/discrepancies/${String(discrepancies[0]?.id)}/resolve`;
    expect(await till.http.post(resolve, {body: {text: 'three coins were out'}})).toMatchObject({
      order_no: 'O-1',
      resolution: 'three coins were out',
      resolved_at: expect.any(String),
    });
    await expect(till.http.post(resolve, {body: {text: 'none was'}})).rejects.toMatchObject({
      code: 'DISCREPANCY_NOT_FOUND',
      status: 404,
    });
    expect((await listed(false)).total).toBe(0);
    expect((await listed(true)).discrepancies).toMatchObject([{resolution: 'three coins were out'}]);
    expect(await till.order('O-1')).toMatchObject({status: 'done'});
  });

  it('writes a frame to a device, and closes its connection; the live stream shows it go and come back', async () => {
    const till = await openTill();
    const device = await box(till);
    const stream = await till.follow();
    const heard: number[] = [];
    device.client.on('message', ({name, message}) => name === 'Pong' && heard.push((message as Pong).timestamp));
    await comes(device);
    const isDevice = (online: boolean, count: number) => () =>
      stream.seen.filter(({event, data}) => event === 'device' && (data as {online: boolean}).online === online)
        .length === count;
    await stream.until(isDevice(true, 1));
    // A Pong of the year 1970.
    await till.http.post('/api/v1/devices/box001/send', {body: {type: 3, payload_hex: '08ac02'}});
    await vi.waitFor(() => expect(heard).toContain(300));
    await expect(
      till.http.post('/api/v1/devices/box001/send', {body: {type: 256, payload_hex: ''}}),
    ).rejects.toMatchObject({code: 'INVALID_PARAMETER', status: 400});
    await till.http.post('/api/v1/devices/box001/kick', {body: {reason: 'maintenance'}});
    await stream.until(isDevice(false, 1));
    await stream.until(isDevice(true, 2));
    await place(till, 'O-1');
    await till.told('order.completed', 'O-1');
    await expect(till.http.post('/api/v1/devices/box999/kick', {body: {reason: 'maintenance'}})).rejects.toMatchObject({
      code: 'DEVICE_OFFLINE',
      status: 400,
    });
  });

  it('has events delivered once more', async () => {
    const till = await openTill();
    const device = await box(till);
    await comes(device);
    await place(till, 'O-1');
    await till.told('order.completed', 'O-1');
    const stream = await till.follow();
    expect(await till.http.post('/api/v1/events/replay', {body: {event_ids: ['O-1:1']}})).toEqual({replayed: 1});
    await stream.until(
      ({event, data}) => event === 'event' && (data as {event_id: string; status: string}).event_id === 'O-1:1',
    );
    expect(till.received.filter(({eventId}) => eventId === 'O-1:1').map(({repeated}) => repeated)).toEqual([
      false,
      true,
    ]);
    await expect(
      till.http.post('/api/v1/events/replay', {body: {event_ids: ['O-1:1', 'O-9:1']}}),
    ).rejects.toMatchObject({code: 'EVENT_NOT_FOUND', status: 404});
  });
});

function gate(): {promise: Promise<void>; resolve(): void} {
  let resolve = (): void => {};
  const promise = new Promise<void>((open) => {
    resolve = open;
  });
  return {promise, resolve};
}
