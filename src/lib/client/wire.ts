/** What the interface answers, in its own words; times are ISO 8601 in UTC. */

export interface OrderData {
  order_no: string;
  device_id: string;
  kind: string;
  status: string;
  coins: number | null;
  timeout_seconds: number | null;
  /** Percent. */
  progress: number;
  error: string | null;
  attempts: number;
  created_at: string;
  updated_at: string;
  /** Null while it is open. */
  ended_at: string | null;
}

export interface DeviceData {
  device_id: string;
  online: boolean;
  /** 0 to 100; null when it has none. */
  score: number | null;
  protocol: string;
  model: string | null;
  firmware: string | null;
  registered_at: string;
  last_seen_at: string;
}

export interface EventData {
  event_id: string;
  event_type: string;
  order_no: string | null;
  device_id: string;
  sequence_no: number | null;
  status: string;
  retry_count: number;
  created_at: string;
  pushed_at: string | null;
  error_message: string | null;
  data: unknown;
}

export interface DiscrepancyData {
  id: number;
  order_no: string;
  device_id: string;
  order_status: string;
  /** What the device says. */
  reported: unknown;
  created_at: string;
  resolved_at: string | null;
  resolution: string | null;
}

/** A command that waits for its device, or was given up. */
export interface CommandData {
  id: string;
  device_id: string;
  order_no: string | null;
  kind: string;
  status: string;
  attempts: number;
  last_error: string | null;
  created_at: string;
  updated_at: string;
}
