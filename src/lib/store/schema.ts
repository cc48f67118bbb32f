import type {Generated, Insertable, Selectable, Updateable} from 'kysely';

/**
 * The tables as they are now. Money is whole cents (分); a time (`…_at`, `…_until`, `not_before`) is UTC milliseconds;
 * JSON is kept as text; there are no booleans. SQLite and PostgreSQL give the same rows.
 */
export interface Schema {
  devices: DevicesTable;
  ports: PortsTable;
  orders: OrdersTable;
  commands: CommandsTable;
  events: EventsTable;
  discrepancies: DiscrepanciesTable;
  api_keys: ApiKeysTable;
  nonces: NoncesTable;
  idempotency_keys: IdempotencyKeysTable;
  settings: SettingsTable;
}

export interface DevicesTable {
  device_id: string;
  protocol: string;
  model: string | null;
  firmware: string | null;
  iccid: string | null;
  imei: string | null;
  port_count: number | null;
  rssi: number | null;
  registered_at: number;
  /** Written in batches: it may be some seconds old. */
  last_seen_at: number;
}

export interface PortsTable {
  device_id: string;
  /** From 1. */
  port_no: number;
  /** 0 free, 1 occupied, 2 charging, 3 fault. */
  status: number;
  /** The device's own status byte. */
  raw_status: number | null;
  power_w: number | null;
  biz_no: string | null;
  energy_wh: number | null;
  updated_at: number;
}

export type OrderKind = 'coin' | 'charge';

export interface OrdersTable {
  order_no: string;
  kind: OrderKind;
  device_id: string;
  port_no: number | null;
  state: string;
  /** Of the request that made it: the same number with another body is refused. */
  body_hash: string;
  coins: number | null;
  timeout_s: number | null;
  /** What was ordered of a charging order, as JSON. */
  charge: string | null;
  amount_cent: number | null;
  progress: Generated<number>;
  error: string | null;
  end_reason: string | null;
  energy_wh: number | null;
  duration_s: number | null;
  attempts: Generated<number>;
  /** The number of its last event. */
  sequence: Generated<number>;
  sent_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  /** When the monitor must look at it; null when it is final. */
  due_at: number | null;
  created_at: number;
  updated_at: number;
}

export type CommandState = 'waiting' | 'sent' | 'done' | 'dead' | 'expired' | 'cancelled' | 'dismissed';

export interface CommandsTable {
  id: string;
  device_id: string;
  order_no: string | null;
  kind: string;
  /** JSON. */
  payload: string;
  /** 0 (first) to 9. */
  priority: number;
  state: CommandState;
  attempts: Generated<number>;
  not_before: number;
  expires_at: number | null;
  lease_owner: string | null;
  lease_until: number | null;
  last_error: string | null;
  created_at: number;
  updated_at: number;
}

export type EventState = 'waiting' | 'pushed' | 'dead';

export interface EventsTable {
  /**
   * Grows with time, so old events are removed by it. But on PostgreSQL rows may become visible out of its order: what
   * is to be sent is selected by state, never by "id greater than".
   */
  id: Generated<number>;
  event_id: string;
  order_no: string | null;
  sequence: number | null;
  type: string;
  device_id: string;
  /** JSON. */
  data: string;
  state: EventState;
  attempts: Generated<number>;
  next_attempt_at: number;
  created_at: number;
  pushed_at: number | null;
  error: string | null;
}

export interface DiscrepanciesTable {
  id: Generated<number>;
  order_no: string;
  device_id: string;
  order_state: string;
  /** What the device says, as JSON. */
  reported: string;
  created_at: number;
  resolved_at: number | null;
  resolution: string | null;
}

export interface ApiKeysTable {
  id: string;
  name: string;
  secret_hash: string;
  hmac_secret_encrypted: string;
  scopes: string;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export interface NoncesTable {
  key_id: string;
  nonce: string;
  expires_at: number;
}

export interface IdempotencyKeysTable {
  key: string;
  body_hash: string;
  status: number | null;
  response: string | null;
  created_at: number;
}

export interface SettingsTable {
  name: string;
  value: string;
}

export type DeviceRow = Selectable<DevicesTable>;
export type NewDevice = Insertable<DevicesTable>;
export type DeviceChange = Updateable<DevicesTable>;
export type PortRow = Selectable<PortsTable>;
export type OrderRow = Selectable<OrdersTable>;
export type NewOrder = Insertable<OrdersTable>;
export type OrderChange = Updateable<OrdersTable>;
export type CommandRow = Selectable<CommandsTable>;
export type NewCommand = Insertable<CommandsTable>;
export type EventRow = Selectable<EventsTable>;
export type NewEvent = Insertable<EventsTable>;
export type DiscrepancyRow = Selectable<DiscrepanciesTable>;
export type ApiKeyRow = Selectable<ApiKeysTable>;
export type NonceRow = Selectable<NoncesTable>;
export type IdempotencyKeyRow = Selectable<IdempotencyKeysTable>;
export type SettingRow = Selectable<SettingsTable>;
