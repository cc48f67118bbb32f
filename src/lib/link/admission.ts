/** Why a connection is turned away before its handshake. */
export type AdmissionRefusal = 'max_connections' | 'per_address';

export interface AdmissionLimits {
  maxConnections: number;
  perAddress: number;
  /** Handshakes begun per second, and at once after a quiet time. */
  acceptRate: number;
  acceptBurst: number;
  /** Handshakes in flight. */
  handshakes: number;
}

/**
 * Counts connections and paces handshakes. It holds no sockets and no clock: `now` is any millisecond time that does
 * not go back. A connection that is admitted but may not begin yet waits: after a power cut thousands come back at
 * once, and those turned away would only come again.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #byAddress = new Map<string, number>();
  #connections = 0;
  #handshakes = 0;
  #tokens: number;
  #refilledAt: number;

  constructor(limits: AdmissionLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.acceptBurst;
    this.#refilledAt = now;
  }

  get connections(): number {
    return this.#connections;
  }

  get handshakes(): number {
    return this.#handshakes;
  }

  /** A connection has come; undefined: it is counted until `left`. */
  arrived(address: string): AdmissionRefusal | undefined {
    if (this.#connections >= this.#limits.maxConnections) return 'max_connections';
    const here = this.#byAddress.get(address) ?? 0;
    if (here >= this.#limits.perAddress) return 'per_address';
    this.#byAddress.set(address, here + 1);
    this.#connections++;
    return undefined;
  }

  left(address: string): void {
    this.#connections--;
    const here = this.#byAddress.get(address) ?? 0;
    if (here <= 1) this.#byAddress.delete(address);
    else this.#byAddress.set(address, here - 1);
  }

  /** Whether the next handshake may begin now; if so it is counted until `ended`. */
  mayBegin(now: number): boolean {
    if (this.#handshakes >= this.#limits.handshakes) return false;
    const earned = ((now - this.#refilledAt) * this.#limits.acceptRate) / 1000;
    this.#tokens = Math.min(this.#limits.acceptBurst, this.#tokens + earned);
    this.#refilledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    this.#handshakes++;
    return true;
  }

  ended(): void {
    this.#handshakes--;
  }
}
