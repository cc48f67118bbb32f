import type {Store} from '../store/index.js';
import type {Clock, OnlineDevice, OnlineTable} from './online.js';
import {BATCH, type Seen, touchDevices} from './operations.js';

/** Every device that is connected is looked at once in so many turns. */
const TURNS = 60;
/** More devices than come and go while the store is away for a moment. */
const MAX_WAITING = 100_000;

interface Heard extends Seen {
  /** By the wheel's time. */
  readonly heardAt: number;
}

/**
 * When devices were last heard, written in batches: of those that are connected one in sixty at a time, of those that
 * came or went all. A heartbeat costs nothing here: it is read off the connections.
 */
export class LastSeen {
  /** Those whose last moment is lost. */
  lost = 0;
  readonly #store: Store;
  readonly #table: OnlineTable;
  readonly #clock: Clock;
  /** Of those that are connected: when they had been heard as it was last written. */
  readonly #written = new Map<string, number>();
  /** Those that came or went since the last write. */
  #waiting = new Map<string, Heard>();
  #round: Iterator<OnlineDevice>;

  constructor(store: Store, table: OnlineTable, clock: Clock) {
    this.#store = store;
    this.#table = table;
    this.#clock = clock;
    this.#round = table.values();
  }

  /** False when it was here already: on an older connection, or it has logged in again. */
  came(device: OnlineDevice): boolean {
    const {deviceId} = device;
    const isNew = !this.#written.has(deviceId);
    this.#written.set(deviceId, Number.NEGATIVE_INFINITY);
    this.#wait(this.#heard(device));
    return isNew;
  }

  went(device: OnlineDevice): void {
    this.#written.delete(device.deviceId);
    this.#wait(this.#heard(device));
  }

  /**
   * Writes those that came and went and, with `turn`, the next part of the others where they were heard since. After a
   * failure the first wait for the next time; the others have theirs in the next round.
   */
  async write(turn: boolean): Promise<void> {
    const changed = this.#waiting;
    this.#waiting = new Map();
    const batch = new Map(changed);
    if (turn) for (const heard of this.#turn()) batch.set(heard.deviceId, heard);
    const all = [...batch.values()];
    for (let at = 0; at < all.length; at += BATCH) {
      const part = all.slice(at, at + BATCH);
      try {
        await this.#store.run(touchDevices, part);
      } catch (error) {
        for (const {deviceId} of all.slice(at)) {
          const unwritten = changed.get(deviceId);
          if (unwritten !== undefined && !this.#waiting.has(deviceId)) this.#wait(unwritten);
        }
        throw error;
      }
      for (const {deviceId, heardAt} of part) if (this.#written.has(deviceId)) this.#written.set(deviceId, heardAt);
    }
  }

  #wait(heard: Heard): void {
    if (this.#waiting.size < MAX_WAITING || this.#waiting.has(heard.deviceId)) {
      this.#waiting.set(heard.deviceId, heard);
    } else this.lost += 1;
  }

  #turn(): Heard[] {
    const heard: Heard[] = [];
    for (let left = Math.ceil(this.#table.size / TURNS); left > 0; left -= 1) {
      const device = this.#next();
      if (device === undefined) break;
      const written = this.#written.get(device.deviceId) ?? Number.NEGATIVE_INFINITY;
      if (device.connection.heardAt > written) heard.push(this.#heard(device));
    }
    return heard;
  }

  #next(): OnlineDevice | undefined {
    const next = this.#round.next();
    if (next.done !== true) return next.value;
    this.#round = this.#table.values();
    return this.#round.next().value as OnlineDevice | undefined;
  }

  #heard({deviceId, protocol, signal = 0, connection: {heardAt}}: OnlineDevice): Heard {
    return {deviceId, protocol, at: this.#clock.utc(heardAt), rssi: signal === 0 ? null : signal, heardAt};
  }
}
