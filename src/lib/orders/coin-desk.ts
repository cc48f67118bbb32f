import {codeOf, PaynetError} from '../errors.js';
import {isId, ResultCode} from '../registry/index.js';
import {Alarm, type DeadlineWheel, Refusal} from '../session/index.js';
import {type CoinInput, type CoinOrder, coinStep, isFinal, type ReportedState} from './coin-state.js';
import {type Entry, OrderBook} from './order-book.js';

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

/** How long a device may take to acknowledge a command before it is asked, and to be there to be asked again. */
const ASK_MS = 10_000;
const ATTEMPTS = 3;
const MAX_TIMEOUT_SECONDS = 86_400;
const MAX_COINS = 0xffff_ffff;

/**
 * Coin orders of this process, in memory. An order that was sent and not answered is asked for, and only the same
 * order id is ever sent again; the device executes it once. An order that the device has once acknowledged is never
 * sent again: a device that has lost its memory would pay twice.
 */
export class CoinDesk {
  readonly #port: CoinPort;
  readonly #wheel: DeadlineWheel;
  readonly #tell: (event: CoinOrderEvent) => void;
  readonly #book = new OrderBook();
  #closed = false;

  constructor(port: CoinPort, wheel: DeadlineWheel, tell: (event: CoinOrderEvent) => void) {
    this.#port = port;
    this.#wheel = wheel;
    this.#tell = tell;
  }

  /**
   * Places an order; resolves with its final state. The same order again gives the same result; another content under
   * its number is refused. Rejects with ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE, QUERY_TIMEOUT or
   * IDEMPOTENCY_UNAVAILABLE: then nothing was sent; and with SERVER_STOPPED: then it may have been, and the same order
   * again tells.
   */
  async submit(request: CoinRequest): Promise<CoinOrder> {
    check(request);
    const {orderId, deviceId, coins, timeoutSeconds} = request;
    const content = JSON.stringify([deviceId, coins, timeoutSeconds]);
    const claim = await this.#port.claim(orderId, content);
    if (this.#closed) throw stopped(orderId);
    const known = this.#book.get(orderId);
    if (claim === 'other' || (known !== undefined && !isSame(known.order, request))) {
      throw new PaynetError('ORDER_CONFLICT', `order ${orderId} exists with another content`, {
        hint: 'Use a new order number for a new order.',
      });
    }
    if (known !== undefined) return known.done;
    const entry = this.#enter({
      orderId,
      deviceId,
      coins,
      timeoutSeconds,
      state: 'created',
      progress: 0,
      error: '',
      attempts: 0,
    });
    try {
      // Claimed by an earlier process: it may have been sent, so the device is asked first.
      if (claim === 'same') await this.#inquire(entry);
      else await this.#send(entry);
    } catch (error) {
      if (entry.order.state === 'created' && !this.#closed) {
        // Nothing was written now: the same request may be made again. Whoever joined this one hears of it too.
        this.#book.remove(entry);
        entry.fail(error as Error);
      }
    }
    this.#wait(entry);
    return entry.done;
  }

  /** A device's ack. Throws Refusal for an order that is not one of its own. */
  reported(deviceId: string, orderId: string, report: Report): void {
    const entry = this.#book.get(orderId);
    if (entry === undefined || entry.order.deviceId !== deviceId) {
      // Not ORDER_NOT_FOUND: a device takes that for the answer to a question it has asked.
      throw new Refusal(ResultCode.PARAM_ERROR, `order ${orderId} is not an order of this device`);
    }
    entry.unsure = false;
    this.#step(entry, asInput(report));
  }

  /** A device is back: what became of its open orders? */
  online(deviceId: string): void {
    for (const entry of this.#book.openOf(deviceId)) {
      // Before the first write there is nothing to ask for.
      if (entry.order.state === 'created') continue;
      entry.unsure = true;
      void this.#ask(entry);
    }
  }

  /** An order of a device; undefined when there is none here. */
  find(deviceId: string, orderId: string): CoinOrder | undefined {
    const order = this.#book.get(orderId)?.order;
    return order?.deviceId === deviceId ? order : undefined;
  }

  /** Ends all waiting: whoever waits for an open order is told so. Calling it twice is fine. */
  close(): void {
    this.#closed = true;
    for (const entry of this.#book.open()) {
      this.#wheel.cancel(entry.alarm);
      entry.fail(stopped(entry.order.orderId));
    }
  }

  #enter(order: CoinOrder): Entry {
    let finish: Entry['finish'] = () => {};
    let fail: Entry['fail'] = () => {};
    const done = new Promise<CoinOrder>((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
    // Often nobody waits any more.
    done.catch(() => undefined);
    const alarm = new Alarm(() => this.#due(entry));
    const flags = {unsure: true, asking: false, askAgain: false};
    const endsAt = this.#wheel.now + order.timeoutSeconds * 1000;
    const entry: Entry = {order, alarm, endsAt, ...flags, done, finish, fail};
    this.#book.add(entry);
    return entry;
  }

  /** Writes the command, with the time that is left. Rejects when nothing was written. */
  async #send(entry: Entry): Promise<void> {
    const left = Math.round((entry.endsAt - this.#wheel.now) / 1000);
    // The alarm ends it.
    if (left < 1) return;
    entry.unsure = true;
    await this.#port.coin({...entry.order, timeoutSeconds: left});
    this.#step(entry, {kind: 'written'});
  }

  /** Asks in the background: now, and once more after an inquiry that is under way. */
  async #ask(entry: Entry): Promise<void> {
    if (entry.asking) {
      entry.askAgain = true;
      return;
    }
    // While it is asked its time goes on.
    this.#wheel.schedule(entry.alarm, Math.max(0, entry.endsAt - this.#wheel.now));
    do {
      entry.askAgain = false;
      try {
        await this.#inquire(entry);
      } catch (error) {
        // Gone again or silent: the alarm or the next login asks anew. What no device may say changes nothing.
        if (codeOf(error) === 'ANSWER_INVALID') this.#tell({kind: 'discrepancy', order: entry.order});
      }
    } while (entry.askAgain && this.#isOpen(entry));
    this.#wait(entry);
  }

  /** Asks the device what it knows of an order, and decides. Rejects when it cannot be asked, or not be sent to. */
  async #inquire(entry: Entry): Promise<void> {
    const acknowledged = isAcknowledged(entry.order);
    entry.asking = true;
    try {
      const answer = await this.#port.query(entry.order);
      if (!this.#isOpen(entry)) return;
      if (answer.found && answer.certain) {
        entry.unsure = false;
        this.#step(entry, asInput(answer));
      } else if (!isAcknowledged(entry.order)) {
        // An older device says ACCEPTED of any order: the same id once more does no harm, it is executed once.
        await this.#again(entry);
      } else if (!answer.found && acknowledged) {
        this.#step(entry, {kind: 'forgotten'});
      } else {
        // It was acknowledged meanwhile, or an older device says of it what it says of any.
        entry.unsure = !answer.found;
      }
    } finally {
      entry.asking = false;
    }
  }

  async #again(entry: Entry): Promise<void> {
    if (entry.order.attempts < ATTEMPTS) await this.#send(entry);
    else this.#step(entry, {kind: 'refused', error: `the device does not take the order after ${ATTEMPTS} attempts`});
  }

  #wait(entry: Entry): void {
    if (!this.#isOpen(entry) || entry.asking || this.#book.get(entry.order.orderId) !== entry) return;
    const left = entry.endsAt - this.#wheel.now;
    this.#wheel.schedule(entry.alarm, Math.max(0, entry.unsure ? Math.min(ASK_MS, left) : left));
  }

  #due(entry: Entry): void {
    if (this.#wheel.now >= entry.endsAt) this.#step(entry, {kind: 'timedOut'});
    else if (entry.unsure) void this.#ask(entry);
    else this.#wait(entry);
  }

  #step(entry: Entry, input: CoinInput): void {
    const wasOpen = this.#isOpen(entry);
    const {order, effects} = coinStep(entry.order, input);
    entry.order = order;
    if (wasOpen && isFinal(order.state)) {
      this.#wheel.cancel(entry.alarm);
      this.#book.ended(entry);
      entry.finish(order);
    }
    for (const kind of effects) {
      this.#tell({
        kind,
        order,
        ...(kind === 'discrepancy' && input.kind === 'reported' && {reported: asReport(input)}),
      });
    }
  }

  #isOpen({order}: Entry): boolean {
    return !this.#closed && !isFinal(order.state);
  }
}

const isAcknowledged = ({state}: CoinOrder): boolean => state !== 'created' && state !== 'sent';

const stopped = (orderId: string): PaynetError =>
  new PaynetError('SERVER_STOPPED', `the server stopped before order ${orderId} ended`, {
    hint: 'Place the same order again when the server is back: it is executed once.',
  });

const asReport = ({state, progress, error}: Report): Report => ({state, progress, error});

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
