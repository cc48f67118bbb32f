import {codeOf, messageOf, PaynetError} from '../errors.js';
import {admits, PRIORITY} from '../outbound/index.js';
import {ResultCode} from '../registry/index.js';
import {Alarm, type DeadlineWheel, Refusal} from '../session/index.js';
import type {OrderRow, Store} from '../store/index.js';
import {type CoinLane, CoinLanes, type Live} from './coin-lane.js';
import type {CoinOrdersOptions, CoinOrdersPort} from './coin-options.js';
import {asMachine, type CoinRecord, isAcknowledged, isOver, recordOf} from './coin-record.js';
import {bodyHash, type CoinOrderRequest, checkCoinRequest} from './coin-request.js';
import {coinStep, type Report} from './coin-state.js';
import type {CoinResult} from './coin-write.js';
import * as operations from './operations.js';
import * as queries from './queries.js';
import {UnstoredReports} from './unstored.js';

const ASK_MS = 10_000;
const ATTEMPT_MS = 30_000;
const SWEEP_MS = 1000;
/** After a pause of the whole process the acks that came meanwhile are read before anything is given up. */
const STALL_MS = 5000;
/** After the start, for devices to come back with what they have executed. */
const GRACE_MS = 30_000;
const SWEEP_LIMIT = 500;
/** Of so many orders that ended without it a device is asked when it comes; of the others when it comes again. */
const CONFIRM_LIMIT = 20;
const OFFLINE: ReadonlySet<string | undefined> = new Set(['DEVICE_OFFLINE', 'CONNECTION_CLOSED']);

/**
 * Coin orders, durable. The store is the truth: what is here only makes it fast, and is found again after a restart. An
 * order is answered after it is stored, and an attempt is stored before it is written. One that was sent and not
 * answered is asked for, and only the same order number is ever sent again; one that the device has once acknowledged
 * is never sent again.
 */
export class CoinOrders {
  readonly #store: Store;
  readonly #port: CoinOrdersPort;
  readonly #wheel: DeadlineWheel;
  readonly #options: CoinOrdersOptions;
  readonly #now: () => number;
  readonly #live = new Map<string, Live>();
  readonly #lanes = new CoinLanes();
  readonly #working = new Set<Promise<void>>();
  readonly #unstored = new UnstoredReports();
  readonly #sweepAlarm = new Alarm(() => this.#work(this.#sweep()));
  #sweptAt = 0;
  #graceUntil = 0;
  #closed = false;

  constructor(options: CoinOrdersOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#port = options.port;
    this.#wheel = options.wheel;
    this.#now = options.now ?? (() => Math.round(performance.timeOrigin + performance.now()));
  }

  /** How many orders wait behind another one of their device. */
  get queued(): number {
    return this.#lanes.waiting;
  }

  /** Begins to look after the stored orders: those of a device are asked for when it comes. */
  start(): void {
    this.#sweptAt = this.#now();
    this.#graceUntil = this.#sweptAt + GRACE_MS;
    this.#wheel.schedule(this.#sweepAlarm, SWEEP_MS);
  }

  /** Ends all waiting, and resolves when nothing is under way any more. What is open stays in the store. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#wheel.cancel(this.#sweepAlarm);
    for (const live of this.#live.values()) this.#wheel.cancel(live.alarm);
    while (this.#working.size > 0) await Promise.all(this.#working);
    this.#live.clear();
    this.#lanes.clear();
  }

  /**
   * Places an order and answers when it is stored. The same order again answers the same order.
   * @throws PaynetError ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE, QUEUE_OVERLOADED, SERVER_STOPPED, and those of
   * the store; nothing was stored then, unless it says STORE_UNCERTAIN: the same order again tells.
   */
  async create(request: CoinOrderRequest): Promise<{outcome: 'created' | 'same'; order: CoinRecord}> {
    checkCoinRequest(request);
    this.#requireOpen();
    const {orderNo, deviceId, coins, timeoutSeconds, amountCent = null, keepSeconds} = request;
    const hash = bodyHash(request);
    const online = this.#port.isOnline(deviceId);
    if ((!online && keepSeconds === undefined) || !admits(PRIORITY.normal, this.#lanes.waiting)) {
      return this.#knownOnly(orderNo, hash, online);
    }
    const lane = this.#lanes.of(deviceId);
    const direct = online && lane.isIdle;
    const at = direct ? this.#now() : lane.stamp(this.#now());
    const lease = direct ? {owner: this.#options.owner, until: at + ATTEMPT_MS} : undefined;
    const keepMs = (keepSeconds ?? timeoutSeconds) * 1000;
    if (direct) lane.unheard.add(orderNo);
    else if (online) this.#lanes.queue(lane, orderNo);
    const coin = {orderNo, deviceId, coins, timeoutSeconds, amountCent, bodyHash: hash, keepMs, at};
    try {
      const {outcome, order} = await this.#store.run(operations.createCoin, lease ? {...coin, lease} : coin);
      if (outcome === 'created') {
        this.#options.tell({kind: 'created', order});
        if (lease !== undefined) this.#work(this.#write(this.#adopt(order, lease.until)));
        else if (!this.#live.has(orderNo)) this.#queueStored(order);
      } else {
        if (direct) lane.unheard.delete(orderNo);
        else if (order.state !== 'created') this.#lanes.unqueue(lane, orderNo);
        // It is from before a restart, perhaps.
        if (outcome === 'same' && !isOver(order) && !this.#live.has(orderNo)) lane.recoverAgain = true;
      }
      this.#pump(lane);
      if (outcome === 'conflict') throw conflict(orderNo);
      return {outcome, order};
    } catch (error) {
      // It may be stored as sent without having been written.
      if (codeOf(error) === 'STORE_UNCERTAIN') lane.recoverAgain = true;
      if (direct && !this.#live.has(orderNo)) lane.unheard.delete(orderNo);
      if (!direct && codeOf(error) !== 'ORDER_CONFLICT') this.#lanes.unqueue(lane, orderNo);
      this.#pump(lane);
      throw error;
    }
  }

  /**
   * A device's ack; resolves when it is stored.
   * @throws Refusal for an order that is not one of its own; PaynetError of the store: it is stored as soon as it can be
   */
  async reported(deviceId: string, orderNo: string, report: Report): Promise<void> {
    const order = this.#live.get(orderNo)?.order ?? (await this.#find(orderNo));
    if (order === undefined || order.deviceId !== deviceId) {
      // Not ORDER_NOT_FOUND: a device takes that for the answer to a question it has asked.
      throw new Refusal(ResultCode.PARAM_ERROR, `order ${orderNo} is not an order of this device`);
    }
    const {state, progress, error} = report;
    const step = coinStep(asMachine(order), {kind: 'reported', state, progress, error});
    if (step.effects.length === 0) return;
    if (state === 'running' && isAcknowledged(order) && !isOver(order)) {
      // The same for every percent: it is stored with the next state.
      const live = this.#live.get(orderNo) ?? this.#adopt(order, 0);
      live.order = {...order, state, progress: step.order.progress, error};
      this.#options.tell({kind: 'progressed', order: live.order});
      return;
    }
    const at = this.#now();
    const reached = Math.max(progress, order.progress);
    const coin = {orderNo, deviceId, state, progress: reached, error, at};
    try {
      this.#settle(await this.#store.run(operations.reportCoin, coin), report);
    } catch (error) {
      this.#unstored.keep({deviceId, orderNo, report});
      throw error;
    }
  }

  /** A device is there (again): what became of its open orders, and what waits for it? */
  online(deviceId: string): void {
    if (this.#closed) return;
    const lane = this.#lanes.of(deviceId);
    lane.recoverAgain = true;
    this.#pump(lane);
  }

  /**
   * Cancels an order of which nothing was sent. Once more gives the same order.
   * @throws PaynetError ORDER_NOT_FOUND, ORDER_SENT, ORDER_FINISHED
   */
  async cancel(orderNo: string): Promise<CoinRecord> {
    this.#requireOpen();
    const result = await this.#store.run(operations.cancelCoin, {orderNo, at: this.#now()});
    if (result === undefined) throw new PaynetError('ORDER_NOT_FOUND', `there is no coin order ${orderNo}`);
    const {outcome, order} = result;
    if (outcome === 'sent') {
      throw new PaynetError('ORDER_SENT', `order ${orderNo} is with its device: the coins may be out`);
    }
    if (outcome === 'over') throw new PaynetError('ORDER_FINISHED', `order ${orderNo} is over: ${order.state}`);
    const lane = this.#lanes.get(order.deviceId);
    if (lane !== undefined) this.#lanes.unqueue(lane, orderNo);
    this.#options.tell({kind: 'finished', order});
    return order;
  }

  /** An order, with the progress that is not stored yet; undefined when there is no such coin order. */
  async get(orderNo: string): Promise<CoinRecord | undefined> {
    return this.#live.get(orderNo)?.order ?? this.#find(orderNo);
  }

  async #find(orderNo: string): Promise<CoinRecord | undefined> {
    const row = await this.#store.readFirst(queries.orderByNo, {orderNo});
    return row?.kind === 'coin' ? recordOf(row) : undefined;
  }

  /** Answers an order that is known when a new one would be refused. */
  async #knownOnly(orderNo: string, hash: string, online: boolean): Promise<{outcome: 'same'; order: CoinRecord}> {
    // Behind whatever is being written: an order that is on its way into the store must not be refused.
    const row = await this.#store.run(operations.findCoin, {orderNo});
    if (row !== undefined) {
      if (row.kind !== 'coin' || row.body_hash !== hash) throw conflict(orderNo);
      return {outcome: 'same', order: this.#live.get(orderNo)?.order ?? recordOf(row)};
    }
    if (!online) throw new PaynetError('DEVICE_OFFLINE', 'the device is not online: nothing was ordered');
    throw new PaynetError('QUEUE_OVERLOADED', 'too many orders wait for their devices: nothing was ordered', {
      hint: 'Place the same order again in a moment.',
    });
  }

  /** Its device may have come while it was being stored, and not have found it. */
  #queueStored({deviceId, orderNo}: CoinRecord): void {
    if (!this.#port.isOnline(deviceId)) return;
    // The lane from before may have been dropped meanwhile.
    const lane = this.#lanes.of(deviceId);
    this.#lanes.queue(lane, orderNo);
    this.#pump(lane);
  }

  #adopt(order: CoinRecord, leaseUntil: number): Live {
    const alarm = new Alarm(() => {
      if (!live.asking && this.#isUnheard(live)) this.#options.ackTimedOut?.(live.order.deviceId);
      this.#work(this.#ask(live));
    });
    const live: Live = {order, leaseUntil, alarm, asking: false};
    this.#live.set(order.orderNo, live);
    return live;
  }

  /** Writes an order whose attempt is stored. */
  async #write(live: Live): Promise<void> {
    if (this.#closed || !this.#isUnheard(live)) return;
    const now = this.#now();
    const left = Math.round(((live.order.dueAt ?? now) - now) / 1000);
    // The sweep ends it.
    if (left < 1) return;
    try {
      // After a pause of the process another may have taken the order over: then the device is asked.
      if (now < live.leaseUntil) await this.#port.coin({...live.order, timeoutSeconds: left});
    } catch (error) {
      const code = codeOf(error);
      if (code === 'COMMAND_UNSUPPORTED' || error instanceof RangeError) {
        const {orderNo} = live.order;
        const end = {orderNo, why: 'refused', error: messageOf(error), at: this.#now()} as const;
        this.#settle(await this.#store.run(operations.endCoin, end));
        return;
      }
      if (!OFFLINE.has(code)) this.#warn(error, live.order, 'an order could not be written to its device');
    }
    if (!this.#closed && this.#isUnheard(live)) this.#wheel.schedule(live.alarm, ASK_MS);
  }

  /** Asks the device what it knows of an order, and decides. */
  async #ask(live: Live): Promise<void> {
    if (this.#closed || live.asking || !this.#isOpen(live)) return;
    this.#wheel.cancel(live.alarm);
    live.asking = true;
    let next = ASK_MS;
    let isSettled = false;
    try {
      const wasHeard = isAcknowledged(live.order);
      const {deviceId, orderNo} = live.order;
      const answer = await this.#port.query(live.order);
      isSettled = true;
      if (this.#closed || !this.#isOpen(live)) return;
      if (answer.found && answer.certain) await this.reported(deviceId, orderNo, answer);
      // An older device says ACCEPTED of any order: the same number once more does no harm, it is executed once.
      else if (this.#isUnheard(live)) await this.#again(live);
      else if (!answer.found && wasHeard) {
        const end = {orderNo, why: 'forgotten', error: '', at: this.#now()} as const;
        this.#settle(await this.#store.run(operations.endCoin, end));
      }
    } catch (error) {
      const code = codeOf(error);
      if (OFFLINE.has(code)) {
        // When it comes back it is asked anew; it may be back already.
        isSettled = !this.#port.isOnline(live.order.deviceId);
        next = SWEEP_MS;
      } else {
        isSettled = false;
        if (code !== 'QUERY_TIMEOUT') this.#warn(error, live.order, 'a device could not be asked for an order');
      }
    } finally {
      live.asking = false;
      if (!isSettled && !this.#closed && this.#isOpen(live)) this.#wheel.schedule(live.alarm, next);
    }
  }

  /** The device does not have it: the same number again, after one more attempt is stored. */
  async #again(live: Live): Promise<void> {
    const {orderNo} = live.order;
    const at = this.#now();
    const until = at + ATTEMPT_MS;
    const result = await this.#store.run(operations.resendCoin, {orderNo, at, owner: this.#options.owner, until});
    if (result?.change === 'changed' && !isOver(result.order)) {
      live.order = result.order;
      live.leaseUntil = until;
      await this.#write(live);
    } else this.#settle(result);
  }

  /** Takes over what was stored of an order, tells of it, and lets the next one go. */
  #settle(result: CoinResult | undefined, reported?: Report): void {
    if (result === undefined) return;
    const {change, order} = result;
    const live = this.#live.get(order.orderNo);
    const wasOpen = live !== undefined && !isOver(live.order);
    if (live !== undefined && wasOpen) live.order = order;
    const over = isOver(order);
    if (over) this.#live.delete(order.orderNo);
    const lane = this.#lanes.get(order.deviceId);
    if (over || isAcknowledged(order)) {
      if (live !== undefined) this.#wheel.cancel(live.alarm);
      if (lane !== undefined) {
        lane.unheard.delete(order.orderNo);
        this.#lanes.unqueue(lane, order.orderNo);
      }
    }
    if (over && (change === 'changed' || wasOpen)) this.#options.tell({kind: 'finished', order});
    else if (change === 'changed') this.#options.tell({kind: 'progressed', order});
    if (change === 'discrepancy') this.#options.tell({kind: 'discrepancy', order, ...(reported && {reported})});
    if (lane !== undefined) this.#pump(lane);
  }

  /** Lets the next thing happen that a device waits for. */
  #pump(lane: CoinLane): void {
    if (this.#closed) return;
    if (!this.#port.isOnline(lane.deviceId)) {
      // It is all read again when the device comes.
      lane.recoverAgain = false;
      for (const orderNo of lane.waiting) this.#lanes.unqueue(lane, orderNo);
    }
    if (lane.recoverAgain && !lane.recovering && !lane.claiming) this.#work(this.#recover(lane));
    else if (lane.waiting.size > 0 && lane.isFree) this.#work(this.#claim(lane));
    else if (lane.isIdle && lane.latest < this.#now()) this.#lanes.drop(lane);
  }

  /** Sends the order that is next, after its attempt is stored. A failure is tried again by the sweep. */
  async #claim(lane: CoinLane): Promise<void> {
    const {deviceId} = lane;
    lane.claiming = true;
    try {
      const at = this.#now();
      const until = at + ATTEMPT_MS;
      const order = await this.#store.run(operations.claimCoin, {deviceId, at, owner: this.#options.owner, until});
      lane.claiming = false;
      if (order === undefined) {
        // Cancelled, or over.
        for (const orderNo of lane.waiting) this.#lanes.unqueue(lane, orderNo);
        this.#pump(lane);
        return;
      }
      this.#lanes.unqueue(lane, order.orderNo);
      lane.unheard.add(order.orderNo);
      await this.#write(this.#adopt(order, until));
    } catch (error) {
      if (codeOf(error) === 'STORE_UNCERTAIN') lane.recoverAgain = true;
      throw error;
    } finally {
      lane.claiming = false;
    }
  }

  /** A device is back: asks for what was sent, and lets what waits follow. */
  async #recover(lane: CoinLane): Promise<void> {
    const {deviceId} = lane;
    lane.recovering = true;
    lane.recoverAgain = false;
    try {
      const since = this.#now() - queries.LONGEST_OPEN_MS;
      const rows = await this.#store.read(queries.openCoinsOfDevice, {deviceId, since});
      const unheard: Live[] = [];
      for (const order of rows.map(recordOf)) {
        const known = this.#live.get(order.orderNo);
        if (order.state === 'created') this.#lanes.queue(lane, order.orderNo);
        // It is being placed at this moment.
        else if (known === undefined && lane.unheard.has(order.orderNo)) continue;
        else {
          const live = known ?? this.#adopt(order, 0);
          if (isAcknowledged(live.order)) this.#work(this.#ask(live));
          else {
            lane.unheard.add(order.orderNo);
            unheard.push(live);
          }
        }
      }
      for (const live of unheard) await this.#ask(live);
      this.#work(this.#confirm(deviceId, since));
    } catch (error) {
      // The sweep tries it again.
      lane.recoverAgain = true;
      throw error;
    } finally {
      lane.recovering = false;
    }
    this.#pump(lane);
  }

  /** Orders that ended while the device was away: it may have paid them out, and its ack may have got lost. */
  async #confirm(deviceId: string, since: number): Promise<void> {
    const rows = await this.#store.read(queries.unconfirmedCoinsOfDevice, {deviceId, since, limit: CONFIRM_LIMIT});
    for (const order of rows.map(recordOf)) {
      if (this.#closed || !this.#port.isOnline(deviceId)) return;
      const {orderNo} = order;
      const answer = await this.#port.query(order);
      if (answer.found && !answer.certain) continue;
      if (answer.found) await this.reported(deviceId, orderNo, answer);
      // What runs still will be told.
      if (!answer.found || answer.state === 'failed') await this.#store.run(operations.confirmEnd, {orderNo});
    }
  }

  /** What devices have said while the store could not take it. */
  async #storeAgain(): Promise<void> {
    const again = this.#unstored.take().map(async ({deviceId, orderNo, report}) => {
      // Its failure keeps it, and is told where it first failed.
      await this.reported(deviceId, orderNo, report).catch(() => undefined);
    });
    await Promise.all(again);
  }

  /** The safety net: ends what is over, and wakes what was left lying. */
  async #sweep(): Promise<void> {
    const now = this.#now();
    const stalled = now - this.#sweptAt > STALL_MS;
    this.#sweptAt = now;
    try {
      await this.#storeAgain();
      if (!stalled) await this.#expire(now);
      for (const lane of this.#lanes.values()) this.#pump(lane);
    } finally {
      if (!this.#closed) this.#wheel.schedule(this.#sweepAlarm, SWEEP_MS);
    }
  }

  async #expire(at: number): Promise<void> {
    const rows = await this.#store.read(queries.dueCoins, {at, limit: SWEEP_LIMIT});
    const expire = async ({order_no: orderNo, progress: stored}: OrderRow): Promise<void> => {
      const progress = this.#live.get(orderNo)?.order.progress ?? stored;
      this.#settle(await this.#store.run(operations.expireCoin, {orderNo, progress, at}));
    };
    // What was sent before a restart is asked for first: its device needs time to come back.
    const ready = rows.filter(
      ({order_no: orderNo, state}) => (state === 'created' || at >= this.#graceUntil) && !this.#unstored.has(orderNo),
    );
    await Promise.all(ready.map(expire));
  }

  #isOpen(live: Live): boolean {
    return this.#live.get(live.order.orderNo) === live && !isOver(live.order);
  }

  #isUnheard(live: Live): boolean {
    return this.#isOpen(live) && !isAcknowledged(live.order);
  }

  /** Work that nobody waits for, but the end. What fails is tried again by the sweep, or when the device is asked. */
  #work(task: Promise<void>): void {
    const work = task
      .catch((error: unknown) => this.#warn(error, undefined, 'coin orders: the store or a device failed'))
      .finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  #warn(error: unknown, order: CoinRecord | undefined, message: string): void {
    const {orderNo, deviceId} = order ?? {};
    this.#options.log.warn({orderNo, deviceId, code: codeOf(error), reason: messageOf(error)}, message);
  }

  #requireOpen(): void {
    if (!this.#closed) return;
    throw new PaynetError('SERVER_STOPPED', 'the server is stopping: nothing was changed');
  }
}

const conflict = (orderNo: string): PaynetError =>
  new PaynetError('ORDER_CONFLICT', `order ${orderNo} exists with another content`, {
    hint: 'Use a new order number for a new order.',
  });
