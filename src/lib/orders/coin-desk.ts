import {codeOf, messageOf, PaynetError} from '../errors.js';
import {isId, ResultCode} from '../registry/index.js';
import {Alarm, type DeadlineWheel, Refusal} from '../session/index.js';
import {type CoinInput, type CoinOrder, coinStep, isFinal, type ReportedState} from './coin-state.js';

/** The way to the devices, as far as coin orders need it. */
export interface CoinPort {
  /** Rejects with DEVICE_OFFLINE. */
  coin(order: CoinOrder): Promise<void>;
  /** What the device knows of an order; `certain` is false when its answer may be one it gives for any order. */
  query(order: CoinOrder): Promise<{found: false} | (Report & {found: true; certain: boolean})>;
  /** Whether an order number is new, known with the same content, or taken by another. */
  claim(orderId: string, content: string): Promise<'new' | 'same' | 'other'>;
}

export interface Report {
  state: ReportedState;
  progress: number;
  error: string;
}

export interface CoinRequest {
  deviceId: string;
  /** 1 to 128 characters; the same number is the same order, for ever. */
  orderId: string;
  /** 1 to 4,294,967,295. */
  coins: number;
  /** 1 to 86,400. */
  timeoutSeconds: number;
}

/** What happened to an order. */
export interface CoinOrderEvent {
  kind: 'progressed' | 'finished' | 'discrepancy';
  order: CoinOrder;
  /** What the device said, where it differs from the order's state. */
  reported?: Report;
}

/** How long a device may take to acknowledge a command before it is asked. */
const ACK_MS = 10_000;
const ATTEMPTS = 3;
const KEPT_ORDERS = 10_000;
const MAX_TIMEOUT_SECONDS = 86_400;
const MAX_COINS = 0xffff_ffff;

interface Entry {
  order: CoinOrder;
  alarm: Alarm;
  /** The end of the device's time, by the wheel; 0 before the first write. */
  endsAt: number;
  asking: boolean;
  done: Promise<CoinOrder>;
  finish(order: CoinOrder): void;
}

/**
 * Coin orders of this process, in memory. An order that was sent and not answered is asked for, and only the same
 * order id is ever sent again; the device executes it once.
 */
export class CoinDesk {
  readonly #port: CoinPort;
  readonly #wheel: DeadlineWheel;
  readonly #tell: (event: CoinOrderEvent) => void;
  readonly #entries = new Map<string, Entry>();

  constructor(port: CoinPort, wheel: DeadlineWheel, tell: (event: CoinOrderEvent) => void) {
    this.#port = port;
    this.#wheel = wheel;
    this.#tell = tell;
  }

  /**
   * Places an order; resolves with its final state. The same order again gives the same result; another content under
   * its number is refused. Rejects with ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE or IDEMPOTENCY_UNAVAILABLE:
   * then nothing was sent.
   */
  async submit(request: CoinRequest): Promise<CoinOrder> {
    check(request);
    const {orderId, deviceId, coins, timeoutSeconds} = request;
    const content = JSON.stringify([deviceId, coins, timeoutSeconds]);
    const claim = await this.#port.claim(orderId, content);
    const known = this.#entries.get(orderId);
    if (claim === 'other' || (known !== undefined && !isSame(known.order, request))) {
      throw new PaynetError('ORDER_CONFLICT', `order ${orderId} exists with another content`, {
        hint: 'Use a new order number for a new order.',
      });
    }
    if (known !== undefined) return known.done;
    const order: CoinOrder = {
      orderId,
      deviceId,
      coins,
      timeoutSeconds,
      state: 'created',
      progress: 0,
      error: '',
      attempts: 0,
    };
    const entry = this.#enter(order);
    try {
      // Claimed by an earlier process: it may have been sent, so the device is asked first.
      if (claim === 'same') {
        entry.endsAt = this.#wheel.now + timeoutSeconds * 1000;
        await this.#ask(entry);
      } else {
        await this.#send(entry);
      }
    } catch (error) {
      // Nothing was written now: the same request may be made again.
      this.#wheel.cancel(entry.alarm);
      this.#entries.delete(orderId);
      throw error;
    }
    return entry.done;
  }

  /** A device's ack. Throws Refusal for an order that is not one of its own. */
  reported(deviceId: string, orderId: string, report: Report): void {
    const entry = this.#entries.get(orderId);
    if (entry === undefined || entry.order.deviceId !== deviceId) {
      throw new Refusal(ResultCode.ORDER_NOT_FOUND, `order ${orderId} is not an order of this device`);
    }
    this.#step(entry, asInput(report));
  }

  /** A device is back: what became of its open orders? */
  online(deviceId: string): void {
    for (const entry of this.#entries.values()) {
      if (entry.order.deviceId === deviceId && entry.order.attempts > 0 && !isFinal(entry.order.state))
        void this.#ask(entry);
    }
  }

  /** An order of a device; undefined when there is none here. */
  find(deviceId: string, orderId: string): CoinOrder | undefined {
    const order = this.#entries.get(orderId)?.order;
    return order?.deviceId === deviceId ? order : undefined;
  }

  /** Ends all waiting; open orders stay open. */
  close(): void {
    for (const {alarm} of this.#entries.values()) this.#wheel.cancel(alarm);
  }

  #enter(order: CoinOrder): Entry {
    let finish: Entry['finish'] = () => {};
    const done = new Promise<CoinOrder>((resolve) => {
      finish = resolve;
    });
    const entry: Entry = {order, alarm: new Alarm(() => this.#due(entry)), endsAt: 0, asking: false, done, finish};
    this.#entries.set(order.orderId, entry);
    this.#forgetOldest();
    return entry;
  }

  async #send(entry: Entry): Promise<void> {
    try {
      await this.#port.coin(entry.order);
    } catch (error) {
      if (entry.order.attempts === 0) throw error;
      return;
    }
    if (entry.endsAt === 0) entry.endsAt = this.#wheel.now + entry.order.timeoutSeconds * 1000;
    this.#step(entry, {kind: 'written'});
    this.#wait(entry);
  }

  /** Asks the device what it knows of an order, and decides. */
  async #ask(entry: Entry): Promise<void> {
    if (entry.asking) return;
    entry.asking = true;
    try {
      const answer = await this.#port.query(entry.order);
      if (isFinal(entry.order.state)) return;
      if (answer.found) this.#step(entry, asInput(answer));
      if (isFinal(entry.order.state)) return;
      // An older device says ACCEPTED of any order: the same id once more does no harm, it is executed once.
      if (!answer.found || !answer.certain) await this.#again(entry);
    } catch (error) {
      if (entry.order.attempts === 0) throw error;
      // Gone again or silent: the alarm or the next login asks anew.
      if (codeOf(error) === 'ANSWER_INVALID') this.#step(entry, {kind: 'refused', error: messageOf(error)});
    } finally {
      entry.asking = false;
      if (!isFinal(entry.order.state)) this.#wait(entry);
    }
  }

  async #again(entry: Entry): Promise<void> {
    if (entry.order.attempts < ATTEMPTS) await this.#send(entry);
    else this.#step(entry, {kind: 'refused', error: `the device does not take the order after ${ATTEMPTS} attempts`});
  }

  #wait(entry: Entry): void {
    if (isFinal(entry.order.state)) return;
    const left = entry.endsAt - this.#wheel.now;
    this.#wheel.schedule(entry.alarm, Math.max(0, entry.order.state === 'sent' ? Math.min(ACK_MS, left) : left));
  }

  #due(entry: Entry): void {
    if (this.#wheel.now >= entry.endsAt) this.#step(entry, {kind: 'timedOut'});
    else if (entry.order.state === 'sent') void this.#ask(entry);
    else this.#wait(entry);
  }

  #step(entry: Entry, input: CoinInput): void {
    const {order, effects} = coinStep(entry.order, input);
    entry.order = order;
    for (const kind of effects) {
      this.#tell({kind, order, ...(kind === 'discrepancy' && input.kind === 'reported' && {reported: input})});
    }
    if (!isFinal(order.state)) return;
    this.#wheel.cancel(entry.alarm);
    entry.finish(order);
  }

  #forgetOldest(): void {
    if (this.#entries.size <= KEPT_ORDERS) return;
    for (const [orderId, {order}] of this.#entries) {
      if (!isFinal(order.state)) continue;
      this.#entries.delete(orderId);
      return;
    }
  }
}

/** Only what belongs to a report: whoever hands it in may have more on it. */
const asInput = ({state, progress, error}: Report): CoinInput => ({kind: 'reported', state, progress, error});

function isSame(order: CoinOrder, {deviceId, coins, timeoutSeconds}: CoinRequest): boolean {
  return order.deviceId === deviceId && order.coins === coins && order.timeoutSeconds === timeoutSeconds;
}

function check({orderId, deviceId, coins, timeoutSeconds}: CoinRequest): void {
  const refuse = (what: string): never => {
    throw new PaynetError('ORDER_INVALID', what);
  };
  if (!isId(orderId)) refuse('orderId must be 1 to 128 visible characters');
  if (!isId(deviceId)) refuse('deviceId must be 1 to 128 visible characters');
  if (!Number.isInteger(coins) || coins < 1 || coins > MAX_COINS) refuse(`coins must be 1 to ${MAX_COINS}`);
  if (!Number.isInteger(timeoutSeconds) || timeoutSeconds < 1 || timeoutSeconds > MAX_TIMEOUT_SECONDS) {
    refuse(`timeoutSeconds must be 1 to ${MAX_TIMEOUT_SECONDS}`);
  }
}
