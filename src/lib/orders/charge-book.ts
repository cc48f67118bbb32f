import type {ChargeProgress} from './charge-operations.js';
import type {ChargeFigures, ChargeRecord} from './charge-record.js';

/** How long what a device tells of a running order is kept in memory only. */
const UNWRITTEN_MS = 60_000;

/** An order that occupies a port of a device that is here. Nothing of it is the truth: the store is. */
export interface LiveCharge {
  order: ChargeRecord;
  /** What the device has told since; null before it did. */
  told: {watts: number; wattHours: number; seconds: number} | null;
  peakWatts: number | null;
  /** When it last said that it charges. */
  seenAt: number;
}

/** What a device has told of an order, for the end of it. */
export function figuresOf({order, told, peakWatts}: LiveCharge): ChargeFigures | undefined {
  if (told !== null) return {wattHours: told.wattHours, seconds: told.seconds, peakWatts};
  if (order.energyWh === null || order.durationSeconds === null) return undefined;
  return {wattHours: order.energyWh, seconds: order.durationSeconds, peakWatts};
}

/** The orders of the devices that are here, by number and by port, and what of their progress is not stored yet. */
export class ChargeBook {
  readonly #orders = new Map<string, LiveCharge>();
  readonly #devices = new Map<string, Map<number, LiveCharge>>();
  /** Since when there is something to be stored; the oldest first. */
  readonly #unwritten = new Map<string, number>();

  get(orderNo: string): LiveCharge | undefined {
    return this.#orders.get(orderNo);
  }

  ofPort(deviceId: string, portNo: number): LiveCharge | undefined {
    return this.#devices.get(deviceId)?.get(portNo);
  }

  ofDevice(deviceId: string): LiveCharge[] {
    return [...(this.#devices.get(deviceId)?.values() ?? [])];
  }

  /** Takes an order in, or its new state. */
  put(order: ChargeRecord): LiveCharge {
    const {orderNo, deviceId, portNo} = order;
    let live = this.#orders.get(orderNo);
    if (live !== undefined) {
      live.order = order;
      return live;
    }
    live = {order, told: null, peakWatts: null, seenAt: order.updatedAt};
    this.#orders.set(orderNo, live);
    const ports = this.#devices.get(deviceId);
    if (ports === undefined) this.#devices.set(deviceId, new Map([[portNo, live]]));
    else ports.set(portNo, live);
    return live;
  }

  remove(orderNo: string): void {
    const live = this.#orders.get(orderNo);
    if (live === undefined) return;
    this.#orders.delete(orderNo);
    this.#unwritten.delete(orderNo);
    const {deviceId, portNo} = live.order;
    const ports = this.#devices.get(deviceId);
    if (ports?.get(portNo) === live) ports.delete(portNo);
    if (ports?.size === 0) this.#devices.delete(deviceId);
  }

  /** Keeps what a device tells of an order: figures, or only that it charges. */
  note(live: LiveCharge, told: LiveCharge['told'], now: number): void {
    if (told !== null) {
      live.told = told;
      live.peakWatts = Math.max(live.peakWatts ?? 0, told.watts);
    }
    live.seenAt = now;
    const {orderNo} = live.order;
    if (!this.#unwritten.has(orderNo)) this.#unwritten.set(orderNo, now);
  }

  /** Its figures were stored with its state. */
  written(orderNo: string): void {
    this.#unwritten.delete(orderNo);
  }

  /** What has waited for a minute to be stored (or all that waits), and does not wait any more then. */
  takeUnwritten(now: number, limit: number, all = false): ChargeProgress[] {
    const taken: ChargeProgress[] = [];
    for (const [orderNo, since] of this.#unwritten) {
      if (taken.length === limit || (!all && now - since < UNWRITTEN_MS)) break;
      this.#unwritten.delete(orderNo);
      const live = this.#orders.get(orderNo);
      if (live !== undefined) taken.push({orderNo, told: live.told, at: live.seenAt});
    }
    return taken;
  }

  clear(): void {
    this.#orders.clear();
    this.#devices.clear();
    this.#unwritten.clear();
  }
}
