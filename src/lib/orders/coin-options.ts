import type {DeadlineWheel} from '../session/index.js';
import type {Store} from '../store/index.js';
import type {CoinRecord} from './coin-record.js';
import type {Report} from './coin-state.js';

/** The way to the devices, as far as coin orders need it. */
export interface CoinOrdersPort {
  /** Whether the device can be written to from here. */
  isOnline(deviceId: string): boolean;
  /** Writes the command, with the time that is left. Rejects when nothing was written. */
  coin(order: CoinRecord): Promise<void>;
  /** What the device knows of an order; `certain` is false when its answer may be one it gives for any order. */
  query(order: CoinRecord): Promise<{found: false} | (Report & {found: true; certain: boolean})>;
}

/** What happened to an order, after it was stored. */
export interface CoinNews {
  readonly kind: 'created' | 'progressed' | 'finished' | 'discrepancy';
  readonly order: CoinRecord;
  /** What the device said, where it differs from the order's state. */
  readonly reported?: Report;
}

export interface CoinOrdersOptions {
  readonly store: Store;
  readonly port: CoinOrdersPort;
  readonly wheel: DeadlineWheel;
  /** Who this process is, for leases; another one after each start. */
  readonly owner: string;
  readonly tell: (news: CoinNews) => void;
  /** A device has not acknowledged an order in time. */
  readonly ackTimedOut?: (deviceId: string) => void;
  readonly log: {warn(fields: object, message: string): void};
  /** UTC milliseconds; by default the time of the start plus what has passed since, whatever the clock is set to. */
  readonly now?: () => number;
}
