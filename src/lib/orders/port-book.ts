import type {PortStatus} from './charge-port.js';
import type {ChargeState} from './charge-state.js';

/** After so long a silent device is asked for its ports, and what contradicts its order is judged again. */
const SYNC_MS = 5 * 60_000;

interface KnownPort {
  status: PortStatus;
  /** When it was last judged. */
  at: number;
}

interface KnownDevice {
  readonly ports: Map<number, KnownPort>;
  heardAt: number;
}

/** What the ports of the devices that are here have said last: what they repeat costs nothing. */
export class PortBook {
  /** In the order in which they are looked at. */
  readonly #devices = new Map<string, KnownDevice>();
  /** How many devices are to be looked at. */
  #share = 0;
  #lookedAt: number | undefined;

  open(deviceId: string, now: number): void {
    this.#devices.set(deviceId, {ports: new Map(), heardAt: now});
  }

  close(deviceId: string): void {
    this.#devices.delete(deviceId);
  }

  has(deviceId: string): boolean {
    return this.#devices.has(deviceId);
  }

  /** Whether a report says something that must be looked at. `state` is that of the order of the port. */
  isNews(deviceId: string, portNo: number, status: PortStatus, state: ChargeState | undefined, now: number): boolean {
    const device = this.#devices.get(deviceId);
    if (device === undefined) return true;
    device.heardAt = now;
    const known = device.ports.get(portNo);
    if (known?.status !== status) return true;
    if (status === 'charging' && (state === 'pending' || state === 'confirmed')) return true;
    const contradicts = status === 'charging' ? state === undefined : status === 'free' && state === 'charging';
    return contradicts && now - known.at >= SYNC_MS;
  }

  /** A report was judged. */
  note(deviceId: string, portNo: number, status: PortStatus, now: number): void {
    this.#devices.get(deviceId)?.ports.set(portNo, {status, at: now});
  }

  /** The next report is news: the order of the port has changed. */
  forget(deviceId: string, portNo: number): void {
    this.#devices.get(deviceId)?.ports.delete(portNo);
  }

  /** The devices to be asked for their ports now. Called often: each call looks at its share of them only. */
  toSync(now: number): string[] {
    const round = (now - (this.#lookedAt ?? now)) / SYNC_MS;
    this.#lookedAt = now;
    this.#share = Math.min(this.#share + this.#devices.size * round, this.#devices.size);
    const silent: string[] = [];
    for (const [deviceId, device] of this.#devices) {
      if (this.#share < 1) break;
      this.#share -= 1;
      this.#devices.delete(deviceId);
      this.#devices.set(deviceId, device);
      if (now - device.heardAt >= SYNC_MS) silent.push(deviceId);
    }
    return silent;
  }

  clear(): void {
    this.#devices.clear();
  }
}
