import {admits, PRIORITY} from '../outbound/index.js';
import {Alarm} from '../session/index.js';
import type {ChargeCore} from './charge-core.js';
import {noteProgress} from './charge-operations.js';
import {activeCharges, dueCharges} from './charge-queries.js';

const SWEEP_MS = 1000;
/** After a pause of the whole process the acks that came meanwhile are read before anything is given up. */
const STALL_MS = 5000;
/** After a start or a pause, for devices to come back before their orders are given up. */
const GRACE_MS = 30_000;
const AUDIT_MS = 60_000;
const LIMIT = 500;
const BATCH = 200;

/** Ends what is over in time, stores progress, and asks silent ports: one look a second over all orders. */
export class ChargeMonitor {
  readonly #core: ChargeCore;
  readonly #retry: () => void;
  readonly #alarm = new Alarm(() => this.#core.work(this.#sweep()));
  #sweptAt = 0;
  #wheelAt = 0;
  #graceUntil = 0;
  #auditAt = 0;

  /** `retry` is called every second, for what has failed. */
  constructor(core: ChargeCore, retry: () => void) {
    this.#core = core;
    this.#retry = retry;
  }

  start(): void {
    this.#hasStalled(this.#core.now());
    this.#graceUntil = this.#sweptAt + GRACE_MS;
    this.#auditAt = this.#graceUntil;
    this.#core.options.wheel.schedule(this.#alarm, SWEEP_MS);
  }

  stop(): void {
    this.#core.options.wheel.cancel(this.#alarm);
  }

  async #sweep(): Promise<void> {
    const now = this.#core.now();
    try {
      if (this.#hasStalled(now)) this.#graceUntil = Math.max(this.#graceUntil, now + GRACE_MS);
      else await this.#expire(now);
      this.#retry();
      await this.storeProgress(false);
      if (now >= this.#auditAt && now >= this.#graceUntil) {
        this.#auditAt = now + AUDIT_MS;
        await this.#audit();
      }
      await this.#sync(now);
    } finally {
      if (!this.#core.closed) this.#core.options.wheel.schedule(this.#alarm, SWEEP_MS);
    }
  }

  /** Whether the process stood still since it was asked last. A store that is slow is no pause: the wheel turns on. */
  #hasStalled(now: number): boolean {
    const {wheel} = this.#core.options;
    const lost = now - this.#sweptAt - (wheel.now - this.#wheelAt);
    this.#sweptAt = now;
    this.#wheelAt = wheel.now;
    return lost > STALL_MS;
  }

  async #expire(at: number): Promise<void> {
    const rows = await this.#core.store.read(dueCharges, {at, limit: LIMIT});
    // What a device may be about to tell is waited for; a start that nobody has answered in time is over.
    const ready = rows.filter(({state}) => state === 'pending' || at >= this.#graceUntil);
    await Promise.all(
      ready.map(({order_no: orderNo, device_id: deviceId}) => this.#try(deviceId, orderNo, {kind: 'tick'})),
    );
  }

  /** Stores what has waited for a minute; all of it before the end. */
  async storeProgress(all: boolean): Promise<void> {
    for (;;) {
      const taken = this.#core.book.takeUnwritten(this.#core.now(), BATCH, all);
      if (taken.length > 0) await this.#core.store.run(noteProgress, {all: taken});
      if (taken.length < BATCH) return;
    }
  }

  /** The safety net: an order that charges while its device is nowhere, after a crash for instance, is interrupted. */
  async #audit(): Promise<void> {
    const {store, options} = this.#core;
    let after = {afterDevice: '', afterPort: 0};
    while (!this.#core.closed) {
      const rows = await store.read(activeCharges, {...after, limit: LIMIT});
      const lost = rows.filter(({state, device_id: id}) => state === 'charging' && !options.port.isOnline(id));
      await Promise.all(
        lost.map(({order_no: orderNo, device_id: deviceId}) => this.#try(deviceId, orderNo, {kind: 'deviceOffline'})),
      );
      const last = rows.at(-1);
      if (rows.length < LIMIT || last === undefined) return;
      after = {afterDevice: last.device_id, afterPort: last.port_no ?? 0};
    }
  }

  /** Each on its own: one that fails is looked at again, and must not keep the others. */
  async #try(deviceId: string, orderNo: string, input: {kind: 'tick' | 'deviceOffline'}): Promise<void> {
    try {
      await this.#core.apply(deviceId, {orderNo, input});
    } catch (error) {
      this.#core.warn(error, 'a charging order could not be moved on');
    }
  }

  /** Asks devices whose ports have said nothing for five minutes (iot-middleware.md §9). */
  async #sync(at: number): Promise<void> {
    const {ports, options} = this.#core;
    const {port, waitingCommands} = options;
    for (const deviceId of ports.toSync(at)) {
      if (!port.supports(deviceId, 'queryPort') || !admits(PRIORITY.idle, waitingCommands())) continue;
      await this.#core.askPorts(deviceId, PRIORITY.idle, at);
    }
  }
}
