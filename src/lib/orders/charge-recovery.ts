const FRAMES = 3;
const APART_MS = 1000;

/**
 * A device that is back while orders of it are interrupted: whether it is sound again (iot-middleware.md §5.3). The
 * limit of time is that of the orders.
 */
export class Recovery {
  /** The interrupted orders by their port. */
  readonly orders = new Map<number, string>();
  /** Until the store has said which orders are interrupted. */
  loading = true;
  readonly #normal = new Set<number>();
  #frames = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** A valid frame has come; false when it came together with another one: those are one sign of life. */
  heard(now: number): boolean {
    if (now - this.#last < APART_MS) return false;
    this.#last = now;
    this.#frames += 1;
    return true;
  }

  /** What a port says since the device is back. */
  port(portNo: number, isNormal: boolean): void {
    if (isNormal) this.#normal.add(portNo);
    else this.#normal.delete(portNo);
  }

  /** The orders that have recovered. */
  get recovered(): string[] {
    if (this.#frames < FRAMES) return [];
    return [...this.orders].filter(([portNo]) => this.#normal.has(portNo)).map(([, orderNo]) => orderNo);
  }

  get isOver(): boolean {
    return !this.loading && this.orders.size === 0;
  }
}
