import type {Alarm} from '../session/index.js';
import {type CoinOrder, isFinal} from './coin-state.js';

/** An order that the desk looks after, and who waits for its end. */
export interface Entry {
  order: CoinOrder;
  alarm: Alarm;
  /** The end of the device's time, by the wheel. */
  endsAt: number;
  /** What the device has of the order is not known: it is to be asked. */
  unsure: boolean;
  asking: boolean;
  /** Something happened while the device was asked: it is to be asked once more. */
  askAgain: boolean;
  done: Promise<CoinOrder>;
  finish(order: CoinOrder): void;
  fail(error: Error): void;
}

/** Orders that have ended and are still known: for repeated requests and late acks. */
const KEPT_ORDERS = 10_000;

/** Orders by number, and the open ones by device. Of those that have ended the latest 10,000 are kept. */
export class OrderBook {
  readonly #entries = new Map<string, Entry>();
  readonly #open = new Map<string, Set<Entry>>();
  readonly #ended = new Set<string>();

  get size(): number {
    return this.#entries.size;
  }

  get(orderId: string): Entry | undefined {
    return this.#entries.get(orderId);
  }

  /** A device's orders that have not ended; a copy, since they may end while it is walked through. */
  openOf(deviceId: string): Entry[] {
    return [...(this.#open.get(deviceId) ?? [])];
  }

  /** Every order that has not ended. */
  open(): Entry[] {
    return [...this.#open.values()].flatMap((entries) => [...entries]);
  }

  add(entry: Entry): void {
    const {orderId, deviceId} = entry.order;
    this.#entries.set(orderId, entry);
    const open = this.#open.get(deviceId);
    if (open === undefined) this.#open.set(deviceId, new Set([entry]));
    else open.add(entry);
  }

  /** Forgets an order that came to nothing. */
  remove(entry: Entry): void {
    this.#close(entry);
    this.#entries.delete(entry.order.orderId);
  }

  /** Notes that an order has ended; the one that ended longest ago is forgotten for it. */
  ended(entry: Entry): void {
    if (!isFinal(entry.order.state)) return;
    this.#close(entry);
    this.#ended.add(entry.order.orderId);
    if (this.#ended.size <= KEPT_ORDERS) return;
    const oldest = this.#ended.keys().next();
    if (oldest.done === true) return;
    this.#ended.delete(oldest.value);
    this.#entries.delete(oldest.value);
  }

  #close(entry: Entry): void {
    const {deviceId} = entry.order;
    const open = this.#open.get(deviceId);
    open?.delete(entry);
    if (open?.size === 0) this.#open.delete(deviceId);
  }
}
