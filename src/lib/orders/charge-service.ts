import {figuresOf, type LiveCharge} from './charge-book.js';
import {ChargeCore, type ChargeOrdersOptions} from './charge-core.js';
import {ChargeMonitor} from './charge-monitor.js';
import {notePortAlarm} from './charge-operations.js';
import {type ChargePlaced, callOff, placeCharge, stopOnPort} from './charge-place.js';
import type {PortStatus} from './charge-port.js';
import {notePort, type PortReport} from './charge-port-report.js';
import {ChargePresence} from './charge-presence.js';
import {activeChargeOfPort} from './charge-queries.js';
import {type ChargeRecord, chargeRecordOf, isChargeOver, isStarting} from './charge-record.js';
import type {ChargeRequest} from './charge-request.js';
import type {ChargeInput} from './charge-state.js';

const OVERTAKEN_MS = 10_000;

/** A device's answer to a start. */
export interface StartAck {
  readonly success: boolean;
  /** Whether it charges with that: its protocol has no separate sign of it. */
  readonly charging: boolean;
  readonly error: string;
}

/** A command that will not be sent any more. */
export interface EndedCommand {
  readonly deviceId: string;
  readonly orderNo: string | null;
  readonly kind: string;
}

/**
 * Charging orders, durable (iot-middleware.md §5). The store is the truth: what is here only makes it fast, and is found
 * again after a restart. Commands are stored with the orders; who sends them is told, and tells what came of them.
 */
export class ChargeOrders {
  readonly #core: ChargeCore;
  readonly #monitor: ChargeMonitor;
  readonly #presence: ChargePresence;

  constructor(options: ChargeOrdersOptions) {
    this.#core = new ChargeCore(options);
    this.#presence = new ChargePresence(this.#core);
    this.#monitor = new ChargeMonitor(this.#core, () => this.#presence.retry());
  }

  /** Begins to look after the stored orders. */
  start(): void {
    this.#monitor.start();
  }

  /** Ends all waiting, and resolves when what devices have told is stored. What is open stays in the store. */
  async stop(): Promise<void> {
    this.#core.closed = true;
    this.#monitor.stop();
    this.#core.work(this.#monitor.storeProgress(true));
    await this.#core.idle();
    this.#presence.clear();
  }

  /**
   * Places an order and answers when it is stored with its start command. The same order again answers the same order.
   * @throws PaynetError ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE, COMMAND_UNSUPPORTED, QUEUE_OVERLOADED, PORT_BUSY,
   * PORT_FAULT, PENDING_ORDER_EXISTS, SERVER_STOPPED, and those of the store; nothing was stored then, unless it says
   * STORE_UNCERTAIN: the same order again tells.
   */
  create(request: ChargeRequest): Promise<ChargePlaced> {
    return placeCharge(this.#core, request);
  }

  /**
   * Cancels an order that does not charge yet: at once when its start was not written, else the device is stopped.
   * @throws PaynetError ORDER_NOT_FOUND, ORDER_IS_CHARGING, ORDER_FINISHED
   */
  cancel(orderNo: string): Promise<ChargeRecord> {
    return callOff(this.#core, orderNo, 'cancelAsked');
  }

  /** @throws PaynetError ORDER_NOT_FOUND, ORDER_FINISHED; PORT_STATE_MISMATCH while its device is away */
  stopOrder(orderNo: string): Promise<ChargeRecord> {
    return callOff(this.#core, orderNo, 'stopAsked');
  }

  /** @throws PaynetError PORT_STATE_MISMATCH there is no order on the port, or another one; and those of `stopOrder` */
  stopPort(deviceId: string, portNo: number, orderNo?: string): Promise<ChargeRecord> {
    return stopOnPort(this.#core, deviceId, portNo, orderNo);
  }

  /** An order, with the figures that are not stored yet; undefined when there is no such charging order. */
  async get(orderNo: string): Promise<ChargeRecord | undefined> {
    const order = await this.#core.find(orderNo);
    const live = this.#core.book.get(orderNo);
    if (order === undefined || live?.told == null || isChargeOver(order)) return order;
    return {...order, energyWh: live.told.wattHours, durationSeconds: live.told.seconds};
  }

  /** A device has answered its start; resolves when it is stored. */
  async startAcked(deviceId: string, orderNo: string, {success, charging, error}: StartAck): Promise<void> {
    await this.#report(deviceId, orderNo, {kind: 'startAcked', success, charging, error});
  }

  /** A device shows that it charges for an order, or must by now: an ack is two seconds old and nothing else came. */
  async chargingSeen(deviceId: string, orderNo: string): Promise<void> {
    await this.#report(deviceId, orderNo, {kind: 'chargingSeen'});
  }

  /** A device has answered a stop. One that it refuses changes nothing: the order ends in time, or by its end report. */
  async stopAcked(deviceId: string, orderNo: string, {success}: {success: boolean}): Promise<void> {
    if (success) await this.#report(deviceId, orderNo, {kind: 'stopAcked'});
  }

  /** A port of a device reports a fault, for an order if it names one. */
  async fault(deviceId: string, portNo: number, orderNo: string | undefined, error: string): Promise<void> {
    const order = orderNo === undefined ? undefined : await this.#orderOf(deviceId, portNo, orderNo);
    // Of an order that is over it says nothing about the one that the port has now.
    if (order !== undefined && isChargeOver(order))
      await this.#report(deviceId, order.orderNo, {kind: 'deviceFault', error});
    else await this.#notePort({deviceId, portNo, status: 'fault', raw: null, error});
  }

  /** A device's word on a port, `raw` being its own byte. Resolves when it is stored; what it repeats costs nothing. */
  async portStatus(deviceId: string, portNo: number, status: PortStatus, raw: number | null): Promise<void> {
    await this.#notePort({deviceId, portNo, status, raw});
  }

  /** A running order's figures: kept in memory, and stored with its next state or within a minute. */
  async progress(
    deviceId: string,
    portNo: number,
    orderNo: string,
    told: {watts: number; wattHours: number; seconds: number},
  ): Promise<void> {
    const {book, now, options} = this.#core;
    this.#presence.port(deviceId, portNo, true);
    const order = await this.#orderOf(deviceId, portNo, orderNo);
    if (order === undefined) return this.#core.unknown(deviceId, orderNo, 'progress');
    const live = book.get(order.orderNo);
    if (live !== undefined) {
      const {watts, wattHours, seconds} = told;
      book.note(live, {watts, wattHours, seconds}, now());
      options.tell({kind: 'progressed', order: withFigures(live), watts});
    }
    if (isStarting(order) || (isChargeOver(order) && !isOvertaken(order, now()))) {
      await this.chargingSeen(deviceId, order.orderNo);
    }
  }

  /** A session has ended, says the device; resolves when it is stored. Whatever it names, the device may be answered. */
  async ended(
    deviceId: string,
    portNo: number,
    orderNo: string,
    {wattHours, seconds, reason}: {wattHours: number; seconds: number; reason: string},
  ): Promise<void> {
    const order = await this.#orderOf(deviceId, portNo, orderNo);
    if (order !== undefined) {
      const peakWatts = this.#core.book.get(order.orderNo)?.peakWatts ?? null;
      const input = {kind: 'ended', reason} as const;
      await this.#core.apply(deviceId, {orderNo: order.orderNo, input, figures: {wattHours, seconds, peakWatts}});
      return;
    }
    this.#core.unknown(deviceId, orderNo, 'end');
    const metadata = {order_no: orderNo, energy_wh: wattHours, duration: seconds, reason};
    const message = 'a session has ended that no order knows';
    const at = this.#core.now();
    const of = orderNo === '' ? `${wattHours}:${seconds}` : orderNo;
    const alarm = {deviceId, portNo, type: 'unknown_session_ended', message, of, metadata, at} as const;
    await this.#core.store.run(notePortAlarm, alarm);
  }

  /** Whoever sends commands has given one up. Only `refused`, when nothing was written nor can be, ends its order. */
  async commandEnded(
    {deviceId, orderNo, kind}: EndedCommand,
    {state, error}: {state: 'expired' | 'dead' | 'refused'; error: string},
  ): Promise<void> {
    if (state === 'refused' && kind === 'startCharge' && orderNo !== null) {
      await this.startAcked(deviceId, orderNo, {success: false, charging: false, error});
    } else if (kind === 'stopCharge') {
      // The order ends in time; the power may still be on, which the next word of the port shows.
      this.#core.options.log.warn({deviceId, orderNo, state, error}, 'a stop did not reach its device');
    }
  }

  /** Any valid frame of a device. Free for a device without an interrupted order. */
  heard(deviceId: string): void {
    this.#presence.heard(deviceId);
  }

  /** A device is there (again). */
  online(deviceId: string): void {
    this.#presence.online(deviceId);
  }

  /** The connection of a device is gone. Nothing happens when it has another one already. */
  offline(deviceId: string): void {
    this.#presence.offline(deviceId);
  }

  async #notePort(report: Omit<PortReport, 'at' | 'figures'>): Promise<void> {
    const {deviceId, portNo, status} = report;
    const {book, ports, turns, now, store, options} = this.#core;
    const live = book.ofPort(deviceId, portNo);
    this.#presence.port(deviceId, portNo, status === 'occupied' || status === 'charging');
    const at = now();
    if (live?.order.state === 'charging' && status === 'charging') book.note(live, null, at);
    if (!ports.isNews(deviceId, portNo, status, live?.order.state, at)) return;
    await turns.run(deviceId, async () => {
      const figures = this.#core.figures(book.ofPort(deviceId, portNo));
      const noted = await store.run(notePort, {...report, figures, at});
      if (noted.result !== undefined) this.#core.settle(noted.result, {state: status});
      else if (noted.commanded) options.commandStored(deviceId);
      if (noted.mismatch !== undefined) options.counters?.mismatches.count(noted.mismatch);
      if (!noted.passing) ports.note(deviceId, portNo, status, at);
    });
  }

  async #report(deviceId: string, orderNo: string, input: ChargeInput): Promise<void> {
    const result = await this.#core.apply(deviceId, {orderNo, input});
    if (result === undefined) this.#core.unknown(deviceId, orderNo, input.kind);
  }

  /** The order that a device means: by its number or, where its protocol has none, the one on the port. */
  async #orderOf(deviceId: string, portNo: number, orderNo: string): Promise<ChargeRecord | undefined> {
    const {book, store} = this.#core;
    const live = orderNo === '' ? book.ofPort(deviceId, portNo) : book.get(orderNo);
    if (live !== undefined) return live.order.deviceId === deviceId ? live.order : undefined;
    if (orderNo === '') {
      const row = await store.readFirst(activeChargeOfPort, {deviceId, portNo});
      return row === undefined ? undefined : this.#adopt(chargeRecordOf(row));
    }
    const order = await this.#core.find(orderNo);
    return order?.deviceId === deviceId ? this.#adopt(order) : undefined;
  }

  #adopt(order: ChargeRecord): ChargeRecord {
    const {book, ports} = this.#core;
    if (!isChargeOver(order) && ports.has(order.deviceId)) book.put(order);
    return order;
  }
}

/** Progress that was on its way while the device or a person ended the order. */
function isOvertaken({state, endedAt}: ChargeRecord, now: number): boolean {
  return state !== 'timeout' && state !== 'failed' && now - (endedAt ?? now) < OVERTAKEN_MS;
}

function withFigures(live: LiveCharge): ChargeRecord {
  const {wattHours = null, seconds = null} = figuresOf(live) ?? {};
  return {...live.order, energyWh: wattHours, durationSeconds: seconds};
}
