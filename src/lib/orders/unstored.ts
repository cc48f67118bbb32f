import type {Report} from './coin-state.js';

/** What a device has said of an order. */
export interface UnstoredReport {
  readonly deviceId: string;
  readonly orderNo: string;
  readonly report: Report;
}

/** More than devices say while a disk is full; beyond it they are asked when they come again. */
const LIMIT = 10_000;

/** What devices have said and the store has not taken. A device says it once: it is kept until it is stored. */
export class UnstoredReports {
  readonly #byOrder = new Map<string, UnstoredReport>();

  has(orderNo: string): boolean {
    return this.#byOrder.has(orderNo);
  }

  keep(unstored: UnstoredReport): void {
    const {orderNo, report} = unstored;
    const known = this.#byOrder.get(orderNo);
    // An end is not overtaken by anything.
    if (known !== undefined && !isEnd(known.report) && isEnd(report)) this.#byOrder.set(orderNo, unstored);
    else if (known === undefined && this.#byOrder.size < LIMIT) this.#byOrder.set(orderNo, unstored);
  }

  /** All of them; what cannot be stored now either is to be kept again. */
  take(): UnstoredReport[] {
    const all = [...this.#byOrder.values()];
    this.#byOrder.clear();
    return all;
  }
}

const isEnd = ({state}: Report): boolean => state === 'done' || state === 'failed';
