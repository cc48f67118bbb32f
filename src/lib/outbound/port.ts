import type {DeadlineWheel} from '../session/index.js';
import type {Store} from '../store/index.js';
import type {OutboundCommand} from './record.js';

/** The way to the devices, as far as commands need it. */
export interface OutboundPort {
  /** Whether the device can be written to from here. */
  isOnline(deviceId: string): boolean;
  /**
   * Writes a command at once and resolves when the device has acknowledged it; writes nothing when `signal` is aborted
   * already. It is given 10 s, then its answer does not count any more.
   *
   * Rejects with PaynetError COMMAND_REFUSED when the device says no, COMMAND_UNSUPPORTED (or a RangeError) when it can
   * never be written: neither is tried again. Anything else is, later: DEVICE_OFFLINE, CONNECTION_CLOSED, ACK_TIMEOUT.
   */
  send(command: OutboundCommand, signal: AbortSignal): Promise<void>;
  /** How long such a device is left alone after a command, in milliseconds; 0 unless given. */
  gapMs?(deviceId: string): number;
}

/** How a command has ended. `refused`: the device said no. `expired` may have been written when it has attempts. */
export type CommandOutcome = 'done' | 'refused' | 'dead' | 'expired';

/** What is counted; `retry` is an attempt that has failed and is followed by another. */
export interface OutboundCounters {
  readonly ackTimeouts: {count(): void};
  readonly results: {count(label: CommandOutcome | 'retry'): void};
}

export interface DispatcherOptions {
  readonly store: Store;
  /** Owned by the caller; it must turn until `stop` has resolved. */
  readonly wheel: DeadlineWheel;
  /** Who this process is, for leases; another one after each start. */
  readonly owner: string;
  readonly port: OutboundPort;
  readonly log: {warn(fields: object, message: string): void};
  /**
   * A command has ended, and that is stored. Not called for what others end (a cancelled order), and lost when the
   * process ends in between: an order keeps its own time.
   */
  readonly ended: (command: OutboundCommand, outcome: CommandOutcome, error?: string) => void;
  /** A device has not acknowledged a command in time. */
  readonly ackTimedOut?: ((deviceId: string) => void) | undefined;
  readonly counters?: OutboundCounters | undefined;
  /** UTC milliseconds; by default the time of the start plus what has passed since, whatever the clock is set to. */
  readonly now?: (() => number) | undefined;
}

/** Sends the stored commands to their devices: all kinds but coins, which have lanes of their own. */
export interface Dispatcher {
  /** A command for this device was committed: call it once for each. It leaves at once when the device is there. */
  commandStored(deviceId: string): void;
  /** A device has come (again): what waits for it goes. */
  online(deviceId: string): void;
  /** A device has left, on every connection: its attempt ends. */
  offline(deviceId: string): void;
  /** Takes a dead letter up again (see `retryDead`). */
  retry(id: string): Promise<'waiting' | 'unknown' | 'order over'>;
  /** A person has settled a dead letter; false when there is none with this id. */
  dismiss(id: string): Promise<boolean>;
  /** Removes what ended a day ago, in parts; answers how many. Done every hour anyway. */
  clean(): Promise<number>;
  /**
   * How many commands wait in the store, for admission, on all nodes: counted here as they come and go, and in the
   * store at the start and every 10 s, which corrects what others did to them (exact up to 10,000).
   */
  readonly waiting: number;
  /**
   * Ends. Attempts in flight are given 3 s; what was not written by then waits again, and what was written keeps its
   * lease: after it, whoever is there takes it over. A second call waits for the first.
   */
  stop(): Promise<void>;
}
