import {defineOperation, type OrderRow, type Params, type PortRow, prepare, type Tx} from '../store/index.js';
import {dropLaterStops, insertStart} from './charge-commands.js';
import {type PortAlarm, tellAlarm, tellCreated} from './charge-events.js';
import {lockPort, PORT_STATES, setPort, setPortFigures} from './charge-port.js';
import {activeChargeOfPort} from './charge-queries.js';
import {
  asChargeMachine,
  type ChargeFigures,
  type ChargeRecord,
  chargeRecordOf,
  type StoredCharge,
} from './charge-record.js';
import {type ChargeInput, chargeDueAt} from './charge-state.js';
import {applyToCharge, type ChargeResult, lockedCharge} from './charge-write.js';
import {orderByNo} from './queries.js';

/** An order that is pending for less than this has the port's next one refused by another word. */
const PENDING_MS = 10_000;

export interface NewCharge extends StoredCharge {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly portNo: number;
  readonly amountCent: number;
  readonly bodyHash: string;
  readonly at: number;
}

/** `order` is there with the first three: the new one, the same one, or the one that has its number. */
export type ChargeCreated =
  | {readonly outcome: 'created' | 'same'; readonly order: ChargeRecord}
  | {readonly outcome: 'conflict' | 'pending' | 'busy' | 'fault'};

interface NewRow {
  orderNo: string;
  deviceId: string;
  portNo: number;
  charge: string;
  amountCent: number;
  bodyHash: string;
  dueAt: number;
  at: number;
}

const insertOrder = prepare((db, p: Params<NewRow>) =>
  db
    .insertInto('orders')
    .values({
      order_no: p.orderNo,
      kind: 'charge',
      device_id: p.deviceId,
      port_no: p.portNo,
      state: 'pending',
      body_hash: p.bodyHash,
      charge: p.charge,
      amount_cent: p.amountCent,
      due_at: p.dueAt,
      created_at: p.at,
      updated_at: p.at,
    })
    // Its number is taken, or, were the lock of the port ever missed, its port.
    .onConflict((conflict) => conflict.doNothing())
    .returningAll(),
);

/**
 * Order, port, start command and event in one (iot-middleware.md §5.4). An order number that is taken changes nothing,
 * whoever has it; a port that is not free, neither.
 */
export const createCharge = defineOperation(
  'orders.createCharge',
  async (tx, charge: NewCharge): Promise<ChargeCreated> => {
    const {orderNo, deviceId, portNo, mode, pricePerKwhCent, serviceFeePermille, amountCent, bodyHash, at} = charge;
    const known = await knownCharge(tx, orderNo, bodyHash);
    if (known !== undefined) return known;
    const port = await lockPort(tx, {deviceId, portNo, at});
    // The same order may have come while this one waited for the port.
    const refused = (await knownCharge(tx, orderNo, bodyHash)) ?? (await refusalOf(tx, port, at));
    if (refused !== undefined) return refused;
    const stored: StoredCharge = {mode, pricePerKwhCent, serviceFeePermille};
    const row = await tx.first(insertOrder, {
      orderNo,
      deviceId,
      portNo,
      charge: JSON.stringify(stored),
      amountCent,
      bodyHash,
      dueAt: firstDueAt(at),
      at,
    });
    if (row === undefined) return (await knownCharge(tx, orderNo, bodyHash)) ?? {outcome: 'busy'};
    const order = chargeRecordOf(row);
    await setPort(tx, {deviceId, portNo, status: 'occupied', at});
    await dropLaterStops(tx, {deviceId, portNo, at});
    await insertStart(tx, order);
    await tellCreated(tx, order, at);
    return {outcome: 'created', order};
  },
);

async function knownCharge(tx: Tx, orderNo: string, bodyHash: string): Promise<ChargeCreated | undefined> {
  const row = await tx.first(orderByNo, {orderNo});
  return row === undefined ? undefined : asKnown(row, bodyHash);
}

/** What an order that is there means for a request. */
export function asKnown(row: OrderRow, bodyHash: string): ChargeCreated {
  if (row.kind !== 'charge' || row.body_hash !== bodyHash) return {outcome: 'conflict'};
  return {outcome: 'same', order: chargeRecordOf(row)};
}

async function refusalOf(tx: Tx, port: PortRow, at: number): Promise<ChargeCreated | undefined> {
  const active = await tx.first(activeChargeOfPort, {deviceId: port.device_id, portNo: port.port_no});
  if (active?.state === 'pending' && at - active.created_at < PENDING_MS) return {outcome: 'pending'};
  if (active !== undefined) return {outcome: 'busy'};
  if (port.status === PORT_STATES.fault) return {outcome: 'fault'};
  return port.status === PORT_STATES.free ? undefined : {outcome: 'busy'};
}

const firstDueAt = (at: number): number =>
  chargeDueAt({state: 'pending', createdAt: at, updatedAt: at, startSent: false, reason: ''}) ?? at;

export interface ChargeChange {
  readonly orderNo: string;
  /** Of whom it comes; another device's order is not touched. */
  readonly deviceId?: string | undefined;
  readonly input: ChargeInput;
  readonly figures?: ChargeFigures | undefined;
  readonly stopPriority?: number | undefined;
  readonly at: number;
}

/** What happened to an order. Undefined: there is no such charging order, or none of this device. */
export const applyCharge = defineOperation(
  'orders.applyCharge',
  async (tx, {orderNo, deviceId, input, ...context}: ChargeChange): Promise<ChargeResult | undefined> => {
    const row = await lockedCharge(tx, orderNo);
    if (row === undefined || (deviceId !== undefined && row.device_id !== deviceId)) return undefined;
    return applyToCharge(tx, row, input, context);
  },
);

export interface ChargeProgress {
  readonly orderNo: string;
  /** Null: only that it charges. */
  readonly told: {readonly watts: number; readonly wattHours: number; readonly seconds: number} | null;
  /** When the device told. */
  readonly at: number;
}

interface ProgressRow {
  orderNo: string;
  wattHours: number | null;
  seconds: number | null;
  dueAt: number | null;
  at: number;
}

const writeProgress = prepare((db, p: Params<ProgressRow>) =>
  db
    .updateTable('orders')
    .set({energy_wh: p.wattHours, duration_s: p.seconds, due_at: p.dueAt, updated_at: p.at})
    .where('order_no', '=', p.orderNo),
);

/** Notes what devices have told of their running orders, many at once. What is over keeps its figures. */
export const noteProgress = defineOperation(
  'orders.noteProgress',
  async (tx, {all}: {all: readonly ChargeProgress[]}): Promise<void> => {
    // In the same order everywhere: two of these at once must not wait for each other.
    for (const {orderNo, told, at} of all.toSorted(byOrderNo)) {
      const row = await lockedCharge(tx, orderNo);
      if (row === undefined || row.due_at === null) continue;
      const order = chargeRecordOf(row);
      const isCharging = order.state === 'charging';
      // The limits of the other states run from their beginning.
      const seen = isCharging ? Math.max(at, order.updatedAt) : order.updatedAt;
      const dueAt = isCharging ? chargeDueAt({...asChargeMachine(order, true), seenChargingAt: seen}) : row.due_at;
      const wattHours = told?.wattHours ?? row.energy_wh;
      const seconds = told?.seconds ?? row.duration_s;
      await tx.run(writeProgress, {orderNo, wattHours, seconds, dueAt: dueAt ?? null, at: seen});
      const {deviceId, portNo} = order;
      if (told !== null) await setPortFigures(tx, {deviceId, portNo, watts: told.watts, wattHours: told.wattHours, at});
    }
  },
);

const byOrderNo = (one: ChargeProgress, other: ChargeProgress): number => (one.orderNo < other.orderNo ? -1 : 1);

/** Tells of a port's alarm, once; false when it was told already. */
export const notePortAlarm = defineOperation('orders.notePortAlarm', (tx, alarm: PortAlarm) => tellAlarm(tx, alarm));

export {notePort} from './charge-port-report.js';
