import {appendDeviceEvent, appendEvent} from '../../src/lib/events/index.js';
import {defineOperation, type Params, prepare} from '../../src/lib/store/index.js';

export const TIME = 1_795_000_000_000;

const insertOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.insertInto('orders').values({
    order_no: p.orderNo,
    kind: 'coin',
    device_id: 'D1',
    state: 'CREATED',
    body_hash: 'hash',
    created_at: TIME,
    updated_at: TIME,
  }),
);

export const createOrder = defineOperation('test.order', (tx, orderNo: string) => tx.run(insertOrder, {orderNo}));

/** Adds `count` events to an order. */
export const tell = defineOperation(
  'test.tell',
  async (tx, {orderNo, count = 1, at}: {orderNo: string; count?: number; at: number}): Promise<string[]> => {
    const ids: string[] = [];
    for (let number = 0; number < count; number += 1) {
      ids.push(await appendEvent(tx, {orderNo, deviceId: 'D1', type: 'order.told', data: {order_no: orderNo}, at}));
    }
    return ids;
  },
);

/** Adds an event, then refuses. */
export const tellAndRefuse = defineOperation('test.tellAndRefuse', async (tx, orderNo: string): Promise<void> => {
  await appendEvent(tx, {orderNo, deviceId: 'D1', type: 'order.told', data: {}, at: TIME});
  throw new Error('no');
});

export const tellOfDevice = defineOperation('test.tellOfDevice', (tx, {eventId, at}: {eventId: string; at: number}) =>
  appendDeviceEvent(tx, {eventId, deviceId: 'D1', type: 'device.alarm', data: {level: 'error'}, at}),
);
