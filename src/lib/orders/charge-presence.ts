import {admits, PRIORITY} from '../outbound/index.js';
import type {ChargeCore} from './charge-core.js';
import {activeChargesOfDevice} from './charge-queries.js';
import {type ChargeRecord, chargeRecordOf} from './charge-record.js';
import {Recovery} from './charge-recovery.js';

/** What the coming and going of devices is for their orders. */
export class ChargePresence {
  readonly #core: ChargeCore;
  /** Devices that are back, while orders of them are interrupted or may be. */
  readonly #recoveries = new Map<string, Recovery>();
  /** Devices whose orders could not be read. */
  readonly #unread = new Set<string>();

  constructor(core: ChargeCore) {
    this.#core = core;
    core.onResumed = (order) => this.#resumed(order);
  }

  heard(deviceId: string): void {
    const recovery = this.#recoveries.get(deviceId);
    if (recovery === undefined || this.#core.closed || !recovery.heard(this.#core.now())) return;
    for (const orderNo of recovery.recovered) {
      this.#core.work(this.#core.apply(deviceId, {orderNo, input: {kind: 'recovered'}}));
    }
  }

  /** What a port says since its device is back. */
  port(deviceId: string, portNo: number, isNormal: boolean): void {
    this.#recoveries.get(deviceId)?.port(portNo, isNormal);
  }

  online(deviceId: string): void {
    const {closed, options, ports, now, turns} = this.#core;
    if (closed || !options.port.supports(deviceId, 'startCharge')) return;
    ports.open(deviceId, now());
    this.#recoveries.set(deviceId, new Recovery());
    this.#core.work(turns.run(deviceId, () => this.#read(deviceId)));
  }

  offline(deviceId: string): void {
    const {closed, options, ports, turns} = this.#core;
    if (closed || options.port.isOnline(deviceId) || !ports.has(deviceId)) return;
    ports.close(deviceId);
    this.#recoveries.delete(deviceId);
    this.#unread.delete(deviceId);
    this.#core.work(turns.run(deviceId, () => this.#leave(deviceId)));
  }

  /** Reads again what could not be read. */
  retry(): void {
    const {turns} = this.#core;
    for (const deviceId of this.#unread) {
      if (turns.length(deviceId) === 0) this.#core.work(turns.run(deviceId, () => this.#read(deviceId)));
    }
  }

  clear(): void {
    this.#core.book.clear();
    this.#core.ports.clear();
    this.#recoveries.clear();
    this.#unread.clear();
  }

  /** What the device left behind: what charges is interrupted, what is open is found again when it comes back. */
  async #leave(deviceId: string): Promise<void> {
    const {book, now} = this.#core;
    const all = book.ofDevice(deviceId).map(({order}) => order);
    try {
      for (const {orderNo} of all.filter(({state}) => state === 'charging')) {
        await this.#core.applyNow(deviceId, {orderNo, input: {kind: 'deviceOffline'}, at: now()});
      }
    } finally {
      for (const {orderNo} of all) book.remove(orderNo);
    }
  }

  /** Reads the open orders of a device; the interrupted ones have their time to recover from now on. */
  async #read(deviceId: string): Promise<void> {
    const {store, book, now, ports, options} = this.#core;
    if (!ports.has(deviceId)) return;
    const recovery = this.#recoveries.get(deviceId);
    this.#unread.add(deviceId);
    const rows = await store.read(activeChargesOfDevice, {deviceId});
    for (const order of rows.map(chargeRecordOf)) {
      book.put(order);
      if (order.state !== 'interrupted') continue;
      recovery?.orders.set(order.portNo, order.orderNo);
      await this.#core.applyNow(deviceId, {orderNo: order.orderNo, input: {kind: 'deviceOnline'}, at: now()});
    }
    this.#unread.delete(deviceId);
    if (recovery === undefined) return;
    recovery.loading = false;
    if (recovery.isOver) this.#recoveries.delete(deviceId);
    else if (options.port.supports(deviceId, 'queryPort') && admits(PRIORITY.low, options.waitingCommands())) {
      // A device that has nothing to say would not show that it is sound.
      await this.#core.askPorts(deviceId, PRIORITY.low, now());
    }
  }

  #resumed({deviceId, portNo, orderNo}: ChargeRecord): void {
    const recovery = this.#recoveries.get(deviceId);
    if (recovery?.orders.get(portNo) === orderNo) recovery.orders.delete(portNo);
    if (recovery?.isOver) this.#recoveries.delete(deviceId);
  }
}
