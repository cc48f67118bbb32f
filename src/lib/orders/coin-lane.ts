import type {Alarm} from '../session/index.js';
import type {CoinRecord} from './coin-record.js';

/** An open order that this process looks after. Nothing here is the truth: the store is. */
export interface Live {
  order: CoinRecord;
  /** Until when it may be written under the attempt that was noted. */
  leaseUntil: number;
  /** Asks the device, when it has not answered in time. */
  alarm: Alarm;
  asking: boolean;
}

/** What goes to one device: one order at a time, until it is acknowledged. */
export class CoinLane {
  readonly deviceId: string;
  /** Orders that were sent, or are about to be, and are not acknowledged: until there are none, nothing else goes. */
  readonly unheard = new Set<string>();
  /** Orders that wait for their turn. */
  readonly waiting = new Set<string>();
  /** The store and the device are being asked what is open. */
  recovering = false;
  /** To be asked once more: the device has come back meanwhile, or asking has failed. */
  recoverAgain = false;
  claiming = false;
  /** The time of the order that joined last. */
  latest = 0;

  constructor(deviceId: string) {
    this.deviceId = deviceId;
  }

  get isFree(): boolean {
    return this.unheard.size === 0 && !this.recovering && !this.recoverAgain && !this.claiming;
  }

  get isIdle(): boolean {
    return this.isFree && this.waiting.size === 0;
  }

  /** A time for an order that waits: later than those before it, so that they keep their order. */
  stamp(now: number): number {
    this.latest = Math.max(now, this.latest + 1);
    return this.latest;
  }
}

/** The lanes of the devices that have something to do; the others cost nothing. */
export class CoinLanes {
  readonly #lanes = new Map<string, CoinLane>();
  #waiting = 0;

  /** How many orders wait for their turn, over all devices. */
  get waiting(): number {
    return this.#waiting;
  }

  get(deviceId: string): CoinLane | undefined {
    return this.#lanes.get(deviceId);
  }

  of(deviceId: string): CoinLane {
    let lane = this.#lanes.get(deviceId);
    if (lane === undefined) {
      lane = new CoinLane(deviceId);
      this.#lanes.set(deviceId, lane);
    }
    return lane;
  }

  values(): IterableIterator<CoinLane> {
    return this.#lanes.values();
  }

  drop({deviceId}: CoinLane): void {
    this.#lanes.delete(deviceId);
  }

  clear(): void {
    this.#lanes.clear();
  }

  queue(lane: CoinLane, orderNo: string): void {
    if (lane.waiting.has(orderNo)) return;
    lane.waiting.add(orderNo);
    this.#waiting += 1;
  }

  unqueue(lane: CoinLane, orderNo: string): void {
    if (lane.waiting.delete(orderNo)) this.#waiting -= 1;
  }
}
