import type {OrderRow} from '../store/index.js';
import {CHARGE_STATES, type ChargeOrder, type ChargeState} from './charge-state.js';

/** What is ordered: seconds, watt-hours, or up to five tiers of power; `full` ends when the device thinks so. */
export type OrderedCharge =
  | {readonly by: 'time'; readonly seconds: number}
  | {readonly by: 'energy'; readonly wattHours: number}
  | {readonly by: 'power'; readonly tiers: readonly PowerTier[]}
  | {readonly by: 'full'};

export interface PowerTier {
  readonly watts: number;
  readonly cents: number;
  readonly seconds: number;
}

/** The numbers of the interface for what is ordered (iot-middleware.md §7.3). */
export const CHARGE_MODES = {time: 1, energy: 2, power: 3, full: 4} as const satisfies Record<
  OrderedCharge['by'],
  number
>;

/** A charging order as it is stored; times are UTC milliseconds, money is cents. */
export interface ChargeRecord {
  readonly orderNo: string;
  readonly deviceId: string;
  /** From 1. */
  readonly portNo: number;
  readonly mode: OrderedCharge;
  readonly amountCent: number;
  readonly pricePerKwhCent: number | null;
  readonly serviceFeePermille: number | null;
  readonly state: ChargeState;
  readonly stateCode: number;
  /** Why it failed. */
  readonly error: string;
  /** What ended it. */
  readonly endReason: string;
  /** As far as the device has told. */
  readonly energyWh: number | null;
  readonly durationSeconds: number | null;
  readonly createdAt: number;
  /** When the device showed that it charges. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When its present state ends by itself; null when it is over. */
  readonly dueAt: number | null;
  readonly updatedAt: number;
}

/** What is kept as JSON, beside the columns. */
export interface StoredCharge {
  readonly mode: OrderedCharge;
  readonly pricePerKwhCent: number | null;
  readonly serviceFeePermille: number | null;
}

export function chargeRecordOf(row: OrderRow): ChargeRecord {
  const state = row.state as ChargeState;
  return {
    orderNo: row.order_no,
    deviceId: row.device_id,
    portNo: row.port_no ?? 0,
    ...(JSON.parse(row.charge ?? '{}') as StoredCharge),
    amountCent: row.amount_cent ?? 0,
    state,
    stateCode: CHARGE_STATES[state],
    error: row.error ?? '',
    endReason: row.end_reason ?? '',
    energyWh: row.energy_wh,
    durationSeconds: row.duration_s,
    createdAt: row.created_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    dueAt: row.due_at,
    updatedAt: row.updated_at,
  };
}

/** The order as its state machine knows it. */
export function asChargeMachine(order: ChargeRecord, startSent: boolean): ChargeOrder {
  const {state, createdAt, updatedAt, startedAt, mode, error, endReason} = order;
  return {
    state,
    createdAt,
    updatedAt,
    startedAt: startedAt ?? undefined,
    orderedSeconds: mode.by === 'time' ? mode.seconds : undefined,
    // While it charges it is only written when the device has shown that it does.
    seenChargingAt: state === 'charging' ? updatedAt : undefined,
    startSent,
    reason: error === '' ? endReason : error,
  };
}

export const isChargeOver = ({dueAt}: ChargeRecord): boolean => dueAt === null;

/** Whether the device has not taken its start yet, or not shown that it charges. */
export const isStarting = ({state}: ChargeRecord): boolean => state === 'pending' || state === 'confirmed';

/** What a device has told of a session; power as the highest that was heard. */
export interface ChargeFigures {
  readonly wattHours: number;
  readonly seconds: number;
  /** Watts; null when none was told. */
  readonly peakWatts: number | null;
}
