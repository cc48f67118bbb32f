import {PaynetError} from '../errors.js';
import {type Params, prepare, type Tx} from '../store/index.js';

/** What happened to an order, for the merchant. */
export interface OrderEvent {
  readonly orderNo: string;
  readonly deviceId: string;
  /** Like 'order.created': letters, digits, dots and underscores. */
  readonly type: string;
  /** Plain data; it is kept as JSON. */
  readonly data: object;
  /** UTC milliseconds. */
  readonly at: number;
}

/** What happened to a device, without an order. */
export interface DeviceEvent {
  /** Made from what happened, so that the same happening told twice is one event. */
  readonly eventId: string;
  readonly deviceId: string;
  readonly type: string;
  readonly data: object;
  readonly at: number;
}

/** Whatever the clock is set to meanwhile: whoever tells may have another one than the sender. */
const AT_ONCE = 0;

const takeSequence = prepare((db, p: Params<{orderNo: string}>) =>
  db
    .updateTable('orders')
    .set((eb) => ({sequence: eb('sequence', '+', 1)}))
    .where('order_no', '=', p.orderNo)
    .returning('sequence'),
);

interface NewRow {
  eventId: string;
  orderNo: string | null;
  sequence: number | null;
  type: string;
  deviceId: string;
  data: string;
  at: number;
}

const rowOf = (p: Params<NewRow>) => ({
  event_id: p.eventId,
  order_no: p.orderNo,
  sequence: p.sequence,
  type: p.type,
  device_id: p.deviceId,
  data: p.data,
  state: 'waiting' as const,
  next_attempt_at: AT_ONCE,
  created_at: p.at,
});

const insert = prepare((db, p: Params<NewRow>) => db.insertInto('events').values(rowOf(p)));

const insertOnce = prepare((db, p: Params<NewRow>) =>
  db
    .insertInto('events')
    .values(rowOf(p))
    .onConflict((conflict) => conflict.column('event_id').doNothing()),
);

/**
 * Adds the next event of an order, in the operation that changes the order: either both are stored or neither.
 * Answers the event's id, `orderNo:sequence`.
 * @throws PaynetError EVENT_ORDER_UNKNOWN there is no such order
 */
export async function appendEvent(tx: Tx, event: OrderEvent): Promise<string> {
  const {orderNo} = event;
  const taken = await tx.first(takeSequence, {orderNo});
  if (taken === undefined) throw new PaynetError('EVENT_ORDER_UNKNOWN', `there is no order ${orderNo} for its event`);
  return appendNumbered(tx, event, taken.sequence);
}

/**
 * The same where the operation writes the order anyway: it has set the order's `sequence` to this number, one more than
 * it was, in a row that it has made or locked.
 */
export async function appendNumbered(tx: Tx, event: OrderEvent, sequence: number): Promise<string> {
  const {orderNo, deviceId, type, data, at} = event;
  const eventId = `${orderNo}:${sequence}`;
  await tx.run(insert, {eventId, orderNo, sequence, type, deviceId, data: JSON.stringify(data), at});
  return eventId;
}

/** Adds an event without order. Answers false, and adds nothing, when there is one with this id already. */
export async function appendDeviceEvent(tx: Tx, {eventId, deviceId, type, data, at}: DeviceEvent): Promise<boolean> {
  const row = {eventId, orderNo: null, sequence: null, type, deviceId, data: JSON.stringify(data), at};
  return (await tx.run(insertOnce, row)) === 1;
}
