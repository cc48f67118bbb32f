import type {OrderRow} from '../store/index.js';
import type {CoinOrder, CoinOrderState} from './coin-state.js';

/** The states of a stored coin order: those of its state machine, and two more ends. */
export type CoinState = CoinOrderState | 'cancelled' | 'timeout';

/** A coin order as it is stored; times are UTC milliseconds. */
export interface CoinRecord {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly coins: number;
  /** The device's limit for the whole execution. */
  readonly timeoutSeconds: number;
  readonly state: CoinState;
  /** Percent. */
  readonly progress: number;
  readonly error: string;
  /** What ended it, for a machine; null before. */
  readonly endReason: string | null;
  /** How often the command was written, or may have been. */
  readonly attempts: number;
  readonly amountCent: number | null;
  readonly createdAt: number;
  readonly sentAt: number | null;
  /** When the device acknowledged it. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** When it ends by itself; null when it has ended. */
  readonly dueAt: number | null;
  readonly updatedAt: number;
}

export function recordOf(row: OrderRow): CoinRecord {
  return {
    orderNo: row.order_no,
    deviceId: row.device_id,
    coins: row.coins ?? 0,
    timeoutSeconds: row.timeout_s ?? 0,
    state: row.state as CoinState,
    progress: row.progress,
    error: row.error ?? '',
    endReason: row.end_reason,
    attempts: row.attempts,
    amountCent: row.amount_cent,
    createdAt: row.created_at,
    sentAt: row.sent_at,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    dueAt: row.due_at,
    updatedAt: row.updated_at,
  };
}

/** The order as its state machine knows it: who was cancelled or came too late has failed. */
export function asMachine({orderNo, state, ...order}: CoinRecord): CoinOrder {
  const {deviceId, coins, timeoutSeconds, progress, error, attempts} = order;
  const known = state === 'cancelled' || state === 'timeout' ? 'failed' : state;
  return {orderId: orderNo, deviceId, coins, timeoutSeconds, state: known, progress, error, attempts};
}

export const isOver = ({dueAt}: CoinRecord): boolean => dueAt === null;

/** Whether the device has said anything of it. */
export const isAcknowledged = ({startedAt}: CoinRecord): boolean => startedAt !== null;
