import type {Driver} from './adapter.js';

/** Which driver holds which device. */
export class DeviceTable {
  readonly #online = new Map<string, Driver>();

  get size(): number {
    return this.#online.size;
  }

  get(deviceId: string): Driver | undefined {
    return this.#online.get(deviceId);
  }

  values(): IterableIterator<Driver> {
    return this.#online.values();
  }

  /** The newest login holds the device; answers the driver that held it before, which is to be dismissed. */
  claim(deviceId: string, driver: Driver): Driver | undefined {
    const before = this.#online.get(deviceId);
    this.#online.set(deviceId, driver);
    return before === driver ? undefined : before;
  }

  /** The end of a connection; false when a newer one holds the device. */
  release(deviceId: string, driver: Driver): boolean {
    if (this.#online.get(deviceId) !== driver) return false;
    return this.#online.delete(deviceId);
  }
}
