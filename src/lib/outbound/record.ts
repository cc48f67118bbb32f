import type {CommandRow} from '../store/index.js';

/** A stored command, as whoever writes or judges it sees it; times are UTC milliseconds. */
export interface OutboundCommand {
  readonly id: string;
  readonly deviceId: string;
  readonly orderNo: string | null;
  readonly kind: string;
  /** As it was stored: a JSON object. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** 0 (first) to 9. */
  readonly priority: number;
  /** With the present one. 0: nothing was ever written. */
  readonly attempts: number;
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

export function outboundCommandOf(row: CommandRow): OutboundCommand {
  return {
    id: row.id,
    deviceId: row.device_id,
    orderNo: row.order_no,
    kind: row.kind,
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    priority: row.priority,
    attempts: row.attempts,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
  };
}
