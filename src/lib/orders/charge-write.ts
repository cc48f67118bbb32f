import {PRIORITY} from '../outbound/index.js';
import {type OrderRow, type Params, prepare, type Tx} from '../store/index.js';
import {
  closeStart,
  closeStops,
  insertCompensatingStop,
  insertStop,
  isStartWritten,
  lockStartSent,
} from './charge-commands.js';
import {isEndTold, tellDiscrepancy, tellEnded, tellStep} from './charge-events.js';
import {lockPort, setPort} from './charge-port.js';
import {activeChargeOfPort} from './charge-queries.js';
import {asChargeMachine, type ChargeFigures, type ChargeRecord, chargeRecordOf, isStarting} from './charge-record.js';
import {type ChargeInput, type ChargeRefusal, chargeDueAt, chargeStep, isActiveCharge} from './charge-state.js';
import {discrepanciesOfOrder} from './queries.js';

/** What an input has made of an order. */
export interface ChargeResult {
  readonly change: 'changed' | 'unchanged' | 'discrepancy' | 'refused';
  readonly refusal?: ChargeRefusal;
  readonly order: ChargeRecord;
  /** Whether a command was stored that waits to be sent. */
  readonly commanded: boolean;
}

export interface ChargeContext {
  readonly at: number;
  readonly figures?: ChargeFigures | undefined;
  /** For the stop that a person asks for; 1 unless told. */
  readonly stopPriority?: number | undefined;
}

const locked = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo).where('kind', '=', 'charge').forUpdate(),
);

/** An order, kept from others until the operation ends. */
export function lockedCharge(tx: Tx, orderNo: string): Promise<OrderRow | undefined> {
  return tx.first(locked, {orderNo});
}

interface Written {
  orderNo: string;
  from: string;
  state: string;
  error: string | null;
  endReason: string | null;
  energyWh: number | null;
  durationS: number | null;
  startedAt: number | null;
  endedAt: number | null;
  dueAt: number | null;
  at: number;
}

const write = prepare((db, p: Params<Written>) =>
  db
    .updateTable('orders')
    .set({
      state: p.state,
      error: p.error,
      end_reason: p.endReason,
      energy_wh: p.energyWh,
      duration_s: p.durationS,
      started_at: p.startedAt,
      ended_at: p.endedAt,
      due_at: p.dueAt,
      updated_at: p.at,
    })
    .where('order_no', '=', p.orderNo)
    .where('state', '=', p.from)
    .returningAll(),
);

const writeFigures = prepare(
  (db, p: Params<{orderNo: string; energyWh: number; durationS: number; endReason: string | null; at: number}>) =>
    db
      .updateTable('orders')
      .set({energy_wh: p.energyWh, duration_s: p.durationS, end_reason: p.endReason, updated_at: p.at})
      .where('order_no', '=', p.orderNo)
      .returningAll(),
);

const insertDiscrepancy = prepare(
  (db, p: Params<{orderNo: string; deviceId: string; state: string; reported: string; at: number}>) =>
    db.insertInto('discrepancies').values({
      order_no: p.orderNo,
      device_id: p.deviceId,
      order_state: p.state,
      reported: p.reported,
      created_at: p.at,
    }),
);

/**
 * Applies what happened to an order that the operation has locked: state, port, commands, events and discrepancy, or
 * nothing at all when it says nothing new. A final state is never left.
 */
export async function applyToCharge(
  tx: Tx,
  row: OrderRow,
  input: ChargeInput,
  context: ChargeContext,
): Promise<ChargeResult> {
  const {at} = context;
  const before = chargeRecordOf(row);
  const step = chargeStep(asChargeMachine(before, await isStartSent(tx, before, input, at)), input, at);
  if (!step.ok) return {change: 'refused', refusal: step.refusal, order: before, commanded: false};
  const {effects} = step;
  const has = (effect: (typeof effects)[number]): boolean => effects.includes(effect);
  let after = before;
  if (step.changed) {
    const {state, startedAt, reason} = step.order;
    const failed = state === 'failed' || state === 'timeout';
    const written = await tx.first(write, {
      orderNo: before.orderNo,
      from: before.state,
      state,
      error: failed && reason !== '' ? reason : null,
      endReason: !failed && reason !== '' ? reason : row.end_reason,
      energyWh: context.figures?.wattHours ?? row.energy_wh,
      durationS: context.figures?.seconds ?? row.duration_s,
      startedAt: startedAt ?? null,
      endedAt: isActiveCharge(state) ? null : at,
      dueAt: chargeDueAt(step.order) ?? null,
      at,
    });
    // The row is locked: nobody else can have moved it.
    if (written === undefined) throw new Error(`order ${before.orderNo} has left the state ${before.state} meanwhile`);
    after = chargeRecordOf(written);
    await followUp(tx, before, after, input, context);
  }
  let commanded = false;
  if (has('sendStop')) {
    await insertStop(tx, after, {why: 'asked', priority: context.stopPriority ?? PRIORITY.high, at});
    commanded = true;
  }
  if (has('sendForcedStop')) {
    await insertStop(tx, after, {why: 'forced', priority: PRIORITY.emergency, at});
    commanded = true;
  }
  if (has('sendCompensatingStop') && !(await isPortTaken(tx, after))) {
    commanded = await insertCompensatingStop(tx, after, at);
  }
  if (has('completeFigures')) {
    const completed = await completeFigures(tx, row, input, context);
    return {change: completed === undefined ? 'unchanged' : 'changed', order: completed ?? after, commanded};
  }
  const isNewDiscrepancy = has('discrepancy') && (await noteDiscrepancy(tx, after, input, context));
  const change = step.changed ? 'changed' : isNewDiscrepancy ? 'discrepancy' : 'unchanged';
  return {change, order: after, commanded};
}

/** Only what calls an order off must know, and then nobody may begin to write the start meanwhile. */
async function isStartSent(tx: Tx, order: ChargeRecord, {kind}: ChargeInput, at: number): Promise<boolean> {
  if (kind !== 'cancelAsked' || !isStarting(order)) return true;
  const {orderNo, deviceId, portNo} = order;
  // Every operation takes the order first, then its port, then its command.
  await lockPort(tx, {deviceId, portNo, at});
  return lockStartSent(tx, orderNo);
}

/** The port and the commands of an order that has moved on, and the events that tell of it. */
async function followUp(
  tx: Tx,
  before: ChargeRecord,
  after: ChargeRecord,
  input: ChargeInput,
  {at, figures}: ChargeContext,
): Promise<void> {
  const {orderNo, deviceId, portNo, state} = after;
  const isOver = !isActiveCharge(state);
  if (isOver) await setPort(tx, {deviceId, portNo, status: 'free', at});
  else if (state === 'charging') await setPort(tx, {deviceId, portNo, status: 'charging', at});
  if (before.state === 'pending') await closeStart(tx, orderNo, state, at);
  // Without a word of the device its stop goes on being tried: the power may be on.
  if (isOver && input.kind !== 'tick') await closeStops(tx, orderNo, at);
  const ended = input.kind === 'ended' || (input.kind === 'deviceFault' && isOver);
  await tellStep(tx, before.state, after, {at, figures, ended});
}

/** A late stop would hit the order that the port has now. */
async function isPortTaken(tx: Tx, {orderNo, deviceId, portNo}: ChargeRecord): Promise<boolean> {
  const active = await tx.first(activeChargeOfPort, {deviceId, portNo});
  if (active === undefined || active.order_no === orderNo) return false;
  // One whose start is still to be written is started after the stop.
  return active.state !== 'pending' || (await isStartWritten(tx, active.order_no));
}

/** The device's last word on an order that is over; undefined when it has said so before. */
async function completeFigures(
  tx: Tx,
  row: OrderRow,
  input: ChargeInput,
  {figures, at}: ChargeContext,
): Promise<ChargeRecord | undefined> {
  if (figures === undefined || input.kind !== 'ended') return undefined;
  const {wattHours, seconds} = figures;
  const isKnown = row.energy_wh === wattHours && row.duration_s === seconds;
  if (isKnown && (await isEndTold(tx, row.order_no))) return undefined;
  const written = await tx.first(writeFigures, {
    orderNo: row.order_no,
    energyWh: wattHours,
    durationS: seconds,
    endReason: row.end_reason ?? (input.reason === '' ? null : input.reason),
    at,
  });
  const order = chargeRecordOf(written as OrderRow);
  await tellEnded(tx, order, at);
  return order;
}

/** False when the device has said the same before: that is one discrepancy. */
async function noteDiscrepancy(
  tx: Tx,
  order: ChargeRecord,
  input: ChargeInput,
  {figures, at}: ChargeContext,
): Promise<boolean> {
  const reported = reportedBy(input, figures);
  const {orderNo, deviceId, state} = order;
  for (const known of await tx.all(discrepanciesOfOrder, {orderNo})) {
    if ((JSON.parse(known.reported) as {state: string}).state === reported.state) return false;
  }
  await tx.run(insertDiscrepancy, {orderNo, deviceId, state, reported: JSON.stringify(reported), at});
  await tellDiscrepancy(tx, order, reported, at);
  return true;
}

/** What the device says, in the words of the discrepancy list. */
export function reportedBy(input: ChargeInput, figures: ChargeFigures | undefined): {state: string} {
  switch (input.kind) {
    case 'startAcked':
      return input.success ? {state: 'started'} : withText('refused', input.error);
    case 'ended': {
      const {wattHours: energy_wh = null, seconds: duration = null} = figures ?? {};
      return {...withText('ended', input.reason), ...{energy_wh, duration}};
    }
    default:
      return {state: 'charging'};
  }
}

const withText = (state: string, reason: string): {state: string; reason: string} => ({state, reason});
