import {codeOf, messageOf, PaynetError} from '../errors.js';
import {enqueueCommand} from '../outbound/index.js';
import type {DeadlineWheel} from '../session/index.js';
import type {OrderRow, Store} from '../store/index.js';
import {ChargeBook, figuresOf, type LiveCharge} from './charge-book.js';
import {applyCharge, type ChargeChange} from './charge-operations.js';
import type {PortMismatch} from './charge-port-report.js';
import {type ChargeFigures, type ChargeRecord, chargeRecordOf, isChargeOver} from './charge-record.js';
import {type ChargeResult, reportedBy} from './charge-write.js';
import {PortBook} from './port-book.js';
import {orderByNo} from './queries.js';
import {Turns} from './turns.js';

/** The devices, as far as charging orders need to know them. */
export interface ChargePort {
  /** Whether the device is connected, to this process or to another one of the same store. */
  isOnline(deviceId: string): boolean;
  supports(deviceId: string, kind: 'startCharge' | 'stopCharge' | 'queryPort'): boolean;
}

/** What happened to an order; all but progress after it was stored. */
export interface ChargeNews {
  readonly kind: 'created' | 'changed' | 'progressed' | 'finished' | 'discrepancy';
  readonly order: ChargeRecord;
  /** The power of a progress. */
  readonly watts?: number;
  /** What the device said, where it differs from the order's state. */
  readonly reported?: object;
}

export interface ChargeCounters {
  readonly inconsistencies: {count(label: 'invalid_transition' | 'unknown_order'): void};
  readonly mismatches: {count(label: PortMismatch): void};
}

export interface ChargeOrdersOptions {
  readonly store: Store;
  readonly port: ChargePort;
  readonly wheel: DeadlineWheel;
  readonly tell: (news: ChargeNews) => void;
  /** A command for the device was stored: whoever sends commands may do so at once. */
  readonly commandStored: (deviceId: string) => void;
  /** How many commands wait to be sent, to all devices. */
  readonly waitingCommands: () => number;
  readonly log: {warn(fields: object, message: string): void};
  readonly counters?: ChargeCounters;
  /** UTC milliseconds; by default the time of the start plus what has passed since, whatever the clock is set to. */
  readonly now?: () => number;
}

/** A question that has waited so long is asked by the next round. */
const QUERY_MS = 60_000;

/** What the parts of the charging orders have in common: what is known in memory, and the one way to change an order. */
export class ChargeCore {
  readonly options: ChargeOrdersOptions;
  readonly store: Store;
  readonly book = new ChargeBook();
  readonly ports = new PortBook();
  /** By device: what it says is taken in the order in which it says it. */
  readonly turns = new Turns();
  readonly now: () => number;
  /** Called with every order that has left the state `interrupted`. */
  onResumed: (order: ChargeRecord) => void = () => {};
  closed = false;
  readonly #working = new Set<Promise<void>>();

  constructor(options: ChargeOrdersOptions) {
    this.options = options;
    this.store = options.store;
    this.now = options.now ?? (() => Math.round(performance.timeOrigin + performance.now()));
  }

  /** Applies what happened to an order, after what happened to its device before. */
  apply(deviceId: string, change: Omit<ChargeChange, 'at' | 'deviceId'>): Promise<ChargeResult | undefined> {
    const at = this.now();
    return this.turns.run(deviceId, () => this.applyNow(deviceId, {...change, at}));
  }

  /** The same, for who has the turn of the device. */
  async applyNow(deviceId: string, change: Omit<ChargeChange, 'deviceId'>): Promise<ChargeResult | undefined> {
    const figures = change.figures ?? this.figures(this.book.get(change.orderNo));
    const result = await this.store.run(applyCharge, {...change, deviceId, figures});
    if (result !== undefined) this.settle(result, reportedBy(change.input, figures));
    return result;
  }

  figures(live: LiveCharge | undefined): ChargeFigures | undefined {
    return live === undefined ? undefined : figuresOf(live);
  }

  /** Takes over what was stored of an order, and tells of it. */
  settle({change, order, commanded, refusal}: ChargeResult, reported: object): void {
    const {orderNo, deviceId, portNo} = order;
    if (refusal === 'INVALID_TRANSITION') {
      this.options.counters?.inconsistencies.count('invalid_transition');
      this.options.log.warn({orderNo, deviceId, state: order.state, reported}, 'an order cannot take this step');
    }
    const over = isChargeOver(order);
    if (over) this.book.remove(orderNo);
    else if (this.ports.has(deviceId)) this.book.put(order);
    if (order.state !== 'interrupted') this.onResumed(order);
    if (change === 'changed') {
      this.book.written(orderNo);
      this.ports.forget(deviceId, portNo);
      this.options.tell({kind: over ? 'finished' : 'changed', order});
    } else if (change === 'discrepancy') this.options.tell({kind: 'discrepancy', order, reported});
    if (commanded) this.options.commandStored(deviceId);
  }

  /** An order as it is stored; undefined when there is no such charging order. */
  async find(orderNo: string): Promise<ChargeRecord | undefined> {
    const row: OrderRow | undefined = await this.store.readFirst(orderByNo, {orderNo});
    return row?.kind === 'charge' ? chargeRecordOf(row) : undefined;
  }

  /** Has a device asked for all its ports. */
  async askPorts(deviceId: string, priority: number, at: number): Promise<void> {
    const id = `query:${deviceId}:${at}`;
    const what = {orderNo: null, kind: 'queryPort', payload: {}};
    await this.store.run(enqueueCommand, {id, deviceId, ...what, priority, expiresAt: at + QUERY_MS, at});
    this.options.commandStored(deviceId);
  }

  /** Work that nobody waits for, but the end. What fails is tried again by the monitor, or told again by the device. */
  work(task: Promise<unknown>): void {
    const work = task
      .then(() => undefined)
      .catch((error: unknown) => this.warn(error, 'charging orders: the store failed'))
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  warn(error: unknown, message: string): void {
    this.options.log.warn({code: codeOf(error), reason: messageOf(error)}, message);
  }

  /** A device speaks of an order that is not there, or not its own. */
  unknown(deviceId: string, orderNo: string, what: string): void {
    this.options.counters?.inconsistencies.count('unknown_order');
    this.options.log.warn({deviceId, orderNo, what}, 'a device speaks of an order that is not one of its own');
  }

  requireOpen(): void {
    if (this.closed) throw new PaynetError('SERVER_STOPPED', 'the server is stopping: nothing was changed');
  }
}
