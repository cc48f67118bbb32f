import {appendDeviceEvent, appendEvent} from '../events/index.js';
import type {Tx} from '../store/index.js';
import {eventOfType} from './charge-queries.js';
import {CHARGE_MODES, type ChargeFigures, type ChargeRecord} from './charge-record.js';
import {CHARGE_STATES, type ChargeState} from './charge-state.js';

const seconds = (at: number): number => Math.floor(at / 1000);
const kwh = (wattHours: number | null): number => (wattHours ?? 0) / 1000;
/** A reason is a word for programs; this is the same for people. */
const words = (reason: string): string => reason.replaceAll('_', ' ');

/** Adds the event that tells of a new order. */
export async function tellCreated(tx: Tx, order: ChargeRecord, at: number): Promise<void> {
  const {mode, amountCent, pricePerKwhCent} = order;
  await append(tx, 'order.created', order, at, {
    charge_mode: CHARGE_MODES[mode.by],
    duration: mode.by === 'time' ? mode.seconds : null,
    kwh_limit: mode.by === 'energy' ? kwh(mode.wattHours) : null,
    power_level: mode.by === 'power' ? Math.max(...mode.tiers.map(({watts}) => watts)) : null,
    amount_cent: amountCent,
    price_per_kwh: pricePerKwhCent,
    ...status(null, order.state),
    created_at: seconds(at),
  });
}

/** Adds the events that tell of an order's step (iot-middleware.md §8.2). */
export async function tellStep(
  tx: Tx,
  from: ChargeState,
  order: ChargeRecord,
  {at, figures, ended}: {at: number; figures: ChargeFigures | undefined; ended: boolean},
): Promise<void> {
  const {state} = order;
  // A new time limit only.
  if (state === from) return;
  if (from === 'pending' && (state === 'confirmed' || state === 'charging')) {
    await append(tx, 'order.confirmed', order, at, {result: 'ok', fail_reason: null, confirmed_at: seconds(at)});
  }
  if (state === 'charging' && from !== 'interrupted') {
    await append(tx, 'charging.started', order, at, {started_at: seconds(at)});
  }
  if (state === 'charging' && from === 'interrupted') await append(tx, 'order.resumed', order, at, {at: seconds(at)});
  if (state === 'interrupted') await append(tx, 'order.interrupted', order, at, {at: seconds(at)});
  if (ended && order.startedAt !== null) await tellEnded(tx, order, at);
  switch (state) {
    case 'completed':
      await append(tx, 'order.completed', order, at, completion(order, figures, at));
      return;
    case 'failed':
    case 'cancelled':
    case 'stopped':
    case 'timeout':
      break;
    default:
      return;
  }
  await append(tx, `order.${state}`, order, at, {
    ...status(from, state),
    reason: order.error === '' ? order.endReason : order.error,
    duration: order.durationSeconds,
    total_kwh: order.energyWh === null ? null : kwh(order.energyWh),
    at: seconds(at),
  });
}

/** Tells what the device has reported of the end of a session. */
export async function tellEnded(tx: Tx, order: ChargeRecord, at: number): Promise<void> {
  const reason = order.endReason === '' ? order.error : order.endReason;
  await append(tx, 'charging.ended', order, at, {
    duration: order.durationSeconds ?? 0,
    total_kwh: kwh(order.energyWh),
    end_reason: reason,
    end_reason_msg: words(reason),
    ended_at: seconds(at),
  });
}

function completion(order: ChargeRecord, figures: ChargeFigures | undefined, at: number): object {
  const {energyWh, durationSeconds, endReason} = order;
  const hours = (durationSeconds ?? 0) / 3600;
  return {
    duration: durationSeconds ?? 0,
    total_kwh: kwh(energyWh),
    peak_power: figures?.peakWatts ?? null,
    avg_power: hours > 0 && energyWh !== null ? Math.round(energyWh / hours) : null,
    total_amount: totalCents(order) / 100,
    end_reason: endReason,
    end_reason_msg: words(endReason),
    completed_at: seconds(at),
  };
}

/** What the energy costs with the service fee at the order's price; without a price, what was paid. */
function totalCents({energyWh, pricePerKwhCent, serviceFeePermille, amountCent}: ChargeRecord): number {
  if (pricePerKwhCent === null || energyWh === null) return amountCent;
  return Math.round((energyWh * pricePerKwhCent * (1000 + (serviceFeePermille ?? 0))) / 1_000_000);
}

/** Tells what the device says and the order does not. */
export async function tellDiscrepancy(tx: Tx, order: ChargeRecord, reported: object, at: number): Promise<void> {
  await append(tx, 'order.discrepancy', order, at, {...status(order.state, order.state), reported, at: seconds(at)});
}

const status = (from: ChargeState | null, to: ChargeState): object => ({
  old_status: from,
  old_status_code: from === null ? null : CHARGE_STATES[from],
  new_status: to,
  new_status_code: CHARGE_STATES[to],
});

async function append(tx: Tx, type: string, order: ChargeRecord, at: number, more: object): Promise<void> {
  const {orderNo, deviceId, portNo} = order;
  await appendEvent(tx, {orderNo, deviceId, type, data: {order_no: orderNo, port_no: portNo, ...more}, at});
}

/** Whether the end of the session was told already: a device repeats its report until it is answered. */
export async function isEndTold(tx: Tx, orderNo: string): Promise<boolean> {
  return (await tx.first(eventOfType, {orderNo, type: 'charging.ended'})) !== undefined;
}

export interface PortAlarm {
  readonly deviceId: string;
  readonly portNo: number;
  readonly type: 'charging_without_order' | 'unknown_session_ended';
  readonly message: string;
  /** Tells one happening from another: it is part of the event's id. */
  readonly of: string;
  readonly metadata: object;
  readonly at: number;
}

/** Adds `device.alarm`; false when this happening was told already. */
export function tellAlarm(tx: Tx, {deviceId, portNo, type, message, of, metadata, at}: PortAlarm): Promise<boolean> {
  return appendDeviceEvent(tx, {
    eventId: `device.alarm:${deviceId}:${portNo}:${type}:${of}`,
    deviceId,
    type: 'device.alarm',
    data: {alarm_type: type, port_no: portNo, level: 'error', message, metadata, alarm_at: seconds(at)},
    at,
  });
}
