import {closeCommand, commandById, commandsOfOrder, insertCommand, PRIORITY} from '../outbound/index.js';
import {type CommandRow, type Params, prepare, type Tx} from '../store/index.js';
import {waitingStopsOfDevice} from './charge-queries.js';
import type {ChargeRecord} from './charge-record.js';
import type {ChargeState} from './charge-state.js';

/** How long a start may wait to be written: after that its order is given up (iot-middleware.md §5.3). */
export const START_MS = 10_000;
/** A stop that belongs to no order must not hit the order that comes next. */
const LOOSE_STOP_MS = 30_000;
/** A device that goes on says so many times: it is stopped no more often than this. */
const STOP_AGAIN_MS = 60_000;

export const startId = (orderNo: string): string => `start:${orderNo}`;

export async function insertStart(tx: Tx, order: ChargeRecord): Promise<void> {
  const {orderNo, deviceId, portNo, mode, serviceFeePermille, createdAt} = order;
  await insertCommand(tx, {
    id: startId(orderNo),
    deviceId,
    orderNo,
    kind: 'startCharge',
    payload: {port: portNo, orderId: orderNo, mode, ...(serviceFeePermille !== null && {serviceFeePermille})},
    priority: PRIORITY.normal,
    expiresAt: createdAt + START_MS,
    at: createdAt,
  });
}

const locked = prepare((db, p: Params<{id: string}>) =>
  db.selectFrom('commands').select(['state', 'attempts']).where('id', '=', p.id).forUpdate(),
);

/** Whether the start may have been written to the device. Until the operation ends nobody else can begin to. */
export async function lockStartSent(tx: Tx, orderNo: string): Promise<boolean> {
  return ((await tx.first(locked, {id: startId(orderNo)}))?.attempts ?? 0) > 0;
}

/** The same as it is now; it may be written at any moment. */
export async function isStartWritten(tx: Tx, orderNo: string): Promise<boolean> {
  return ((await tx.first(commandById, {id: startId(orderNo)}))?.attempts ?? 0) > 0;
}

/** Ends the start of an order that is not pending any more: it must not be written again. */
export async function closeStart(tx: Tx, orderNo: string, to: ChargeState, at: number): Promise<void> {
  const wasCalledOff = to === 'cancelled' || to === 'cancelling' || to === 'stopping';
  const state = to === 'timeout' ? 'expired' : wasCalledOff ? 'cancelled' : 'done';
  await closeCommand(tx, {id: startId(orderNo), state, at});
}

/** Ends the stops of an order that the device has stopped, or ended by itself. */
export async function closeStops(tx: Tx, orderNo: string, at: number): Promise<void> {
  for (const {id, kind} of await tx.all(commandsOfOrder, {orderNo})) {
    if (kind === 'stopCharge') await closeCommand(tx, {id, state: 'done', at});
  }
}

/** Stores a stop for an order's port. An order is stopped once for each reason, but for `compensating`. */
export async function insertStop(
  tx: Tx,
  {orderNo, deviceId, portNo}: ChargeRecord,
  {why, priority, at}: {why: 'asked' | 'forced' | 'compensating'; priority: number; at: number},
): Promise<void> {
  await insertCommand(tx, {
    id: `stop:${orderNo}:${why}:${at}`,
    deviceId,
    orderNo,
    kind: 'stopCharge',
    payload: {port: portNo, orderId: orderNo},
    priority,
    expiresAt: null,
    at,
  });
}

/** Stops a device that charges for an order that is over; false when it was told to a moment ago. */
export async function insertCompensatingStop(tx: Tx, order: ChargeRecord, at: number): Promise<boolean> {
  const stops = (await tx.all(commandsOfOrder, {orderNo: order.orderNo})).filter(({kind}) => kind === 'stopCharge');
  if (stops.some(({created_at: createdAt}) => at - createdAt < STOP_AGAIN_MS)) return false;
  await insertStop(tx, order, {why: 'compensating', priority: PRIORITY.emergency, at});
  return true;
}

/** Stops a port that charges for no order at all. */
export async function insertLooseStop(
  tx: Tx,
  {deviceId, portNo, at}: {deviceId: string; portNo: number; at: number},
): Promise<void> {
  await insertCommand(tx, {
    id: `stop-port:${deviceId}:${portNo}:${at}`,
    deviceId,
    orderNo: null,
    kind: 'stopCharge',
    payload: {port: portNo},
    priority: PRIORITY.high,
    expiresAt: at + LOOSE_STOP_MS,
    at,
  });
}

/** Drops the stops of earlier orders that would go to a port later than the start of its next one. */
export async function dropLaterStops(
  tx: Tx,
  {deviceId, portNo, at}: {deviceId: string; portNo: number; at: number},
): Promise<void> {
  for (const {id, payload, not_before: notBefore} of await tx.all(waitingStopsOfDevice, {deviceId})) {
    if (notBefore <= at || portOf(payload) !== portNo) continue;
    await closeCommand(tx, {id, state: 'cancelled', error: 'another order came', at});
  }
}

const portOf = (payload: CommandRow['payload']): number | undefined => (JSON.parse(payload) as {port?: number}).port;
