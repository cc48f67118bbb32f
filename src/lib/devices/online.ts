import {isOnlineScore, onlineScore, type ScoreRules} from '../session/index.js';
import type {Marks} from './marks.js';

/** A device that is connected: a driver of the link is one. */
export interface OnlineDevice {
  readonly deviceId: string;
  readonly protocol: string;
  /** A whole number, as its modem reports it; 0 before it has. */
  readonly signal?: number;
  readonly connection: {
    /** Unique in this process. */
    readonly id: string;
    /** When it was last heard, by the wheel's time. */
    readonly heardAt: number;
    /** False when it is closing: nothing can be sent any more. */
    readonly open: boolean;
  };
}

/** Who is connected; the link's table is one. */
export interface OnlineTable {
  get(deviceId: string): OnlineDevice | undefined;
  /** Live: what comes and goes meanwhile is seen or not, and nothing twice. */
  values(): IterableIterator<OnlineDevice>;
  readonly size: number;
}

export interface OnlineOptions {
  readonly table: OnlineTable;
  readonly session: {timeoutMs(protocol: string): number; readonly freshness: ScoreRules['freshness']};
  readonly downs: Marks;
  readonly ackTimeouts: Marks;
  /** The wheel's time, and what a moment of it is in UTC milliseconds. */
  readonly clock: Clock;
}

export interface Clock {
  /** The wheel's time: milliseconds that do not go on while the process stands still. */
  readonly steady: number;
  /**
   * UTC milliseconds of a moment of the wheel's time; while the process has stood still since, as much too late as it
   * stood.
   */
  utc(steady: number): number;
}

/** The devices that are connected, as the server judges them now. */
export class Online {
  readonly #options: OnlineOptions;

  constructor(options: OnlineOptions) {
    this.#options = options;
  }

  get(deviceId: string): OnlineDevice | undefined {
    return this.#options.table.get(deviceId);
  }

  score(device: OnlineDevice | undefined): number {
    if (device === undefined || !device.connection.open) return 0;
    const {session, downs, ackTimeouts, clock} = this.#options;
    const now = clock.steady;
    return onlineScore(
      {
        heardAgoMs: now - device.connection.heardAt,
        downAgoMs: downs.ago(device.deviceId, now),
        ackTimeoutAgoMs: ackTimeouts.ago(device.deviceId, now),
      },
      {timeoutMs: session.timeoutMs(device.protocol), freshness: session.freshness},
    );
  }

  isOnline(device: OnlineDevice | undefined): boolean {
    return isOnlineScore(this.score(device));
  }

  /** UTC milliseconds. */
  lastSeenAt(device: OnlineDevice): number {
    return this.#options.clock.utc(device.connection.heardAt);
  }

  /** A page of those that are online, in the order in which they came, and how many there are. */
  page(limit: number, offset: number): {page: OnlineDevice[]; total: number} {
    const page: OnlineDevice[] = [];
    let total = 0;
    for (const device of this.#options.table.values()) {
      if (!this.isOnline(device)) continue;
      if (total >= offset && page.length < limit) page.push(device);
      total += 1;
    }
    return {page, total};
  }
}
