import {messageOf} from '../errors.js';
import {CoinAck, type CoinCommand, CoinState, isId, type QueryReq, QueryRsp, ResultCode} from '../registry/index.js';
import {Refusal} from '../session/index.js';
import {isFinal, type Ledger, type LedgerEntry} from './ledger.js';

/** What to do with a CoinCommand. */
export type Decision = {execute: true} | {execute: false; ack: CoinAck};

/** An entry on its way into the ledger. */
interface Storing {
  entry: LedgerEntry;
  /** Rejects when the entry was not stored. */
  stored: Promise<void>;
}

/** Characters of an error text that are kept: an ack has to fit into a frame, whatever a handler throws. */
const LONGEST_ERROR = 500;

/**
 * The rule that money hangs on: an order id is executed once, whatever is resent and whenever the power fails. An
 * order is in the ledger before it is executed, and its state before it is acknowledged or told to anybody.
 */
export class ExecutedOrders {
  readonly #ledger: Ledger;
  /** The newest of each order. */
  readonly #storing = new Map<string, Storing>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * Ends the orders that a restart interrupted: how many of their coins are out is not known, so they are not
   * executed again. Answers the acks to send. Rejects with what the ledger rejects with.
   */
  async recover(): Promise<CoinAck[]> {
    const interrupted = [...this.#ledger.entries()].filter((entry) => !isFinal(entry.state));
    const failed = interrupted.map((entry) => ({
      ...entry,
      state: CoinState.COIN_FAILED,
      error: `interrupted by a restart at ${entry.progress} %`,
    }));
    await Promise.all(failed.map((entry) => this.#store(entry)));
    return failed.map(ackOf);
  }

  /** Decides about a command. Rejects with Refusal when it is not an order at all. */
  async decide(command: CoinCommand): Promise<Decision> {
    const {orderId, coins} = command;
    if (!isId(orderId)) throw new Refusal(ResultCode.PARAM_ERROR, 'CoinCommand without a valid order_id');
    if (coins === 0) throw new Refusal(ResultCode.PARAM_ERROR, `order ${orderId}: no coins to pay out`);
    for (;;) {
      const known = this.#ledger.get(orderId);
      if (known !== undefined) return {execute: false, ack: ackOf(known)};
      if (!this.#storing.has(orderId)) break;
      // A lost connection may have brought the order a moment ago: only what is stored is answered, or stored anew.
      await this.#settled(orderId);
    }
    const entry: LedgerEntry = {orderId, coins, state: CoinState.COIN_ACCEPTED, progress: 0, error: ''};
    try {
      await this.#store(entry);
    } catch (error) {
      const text = `the device cannot remember orders: ${messageOf(error)}`;
      return {execute: false, ack: ackOf({...entry, state: CoinState.COIN_FAILED, error: shortened(text)})};
    }
    return {execute: true};
  }

  /**
   * Notes what is about to be acknowledged and answers what to send; undefined when the order is final already and
   * this would contradict it. Rejects with a RangeError for what no ack can say, and with what the ledger rejects with.
   */
  async note(given: CoinAck): Promise<CoinAck | undefined> {
    checkAck(given);
    const ack = {...given, error: shortened(given.error)};
    const storing = this.#storing.get(ack.orderId);
    const known = storing?.entry ?? this.#ledger.get(ack.orderId);
    if (known === undefined) return ack;
    if (!isFinal(known.state)) {
      await this.#store({...known, state: ack.state, progress: ack.progress, error: ack.error});
      return ack;
    }
    if (known.state !== ack.state) return undefined;
    await storing?.stored;
    return ack;
  }

  /** The answer to the server's question about an order. */
  async answer({orderId}: QueryReq): Promise<QueryRsp> {
    await this.#settled(orderId);
    const known = this.#ledger.get(orderId);
    if (known === undefined) return QueryRsp.create({orderId, code: ResultCode.ORDER_NOT_FOUND});
    const {state, progress, error} = known;
    return QueryRsp.create({orderId, state, progress, error, code: ResultCode.OK});
  }

  async #store(entry: LedgerEntry): Promise<void> {
    const {orderId} = entry;
    const storing: Storing = {entry, stored: this.#ledger.put(entry)};
    this.#storing.set(orderId, storing);
    try {
      await storing.stored;
    } finally {
      if (this.#storing.get(orderId) === storing) this.#storing.delete(orderId);
    }
  }

  /** Resolves when what is being stored of an order is stored, or is not going to be. */
  async #settled(orderId: string): Promise<void> {
    // Whoever stores it hears of a failure.
    await this.#storing.get(orderId)?.stored.catch(() => undefined);
  }
}

function checkAck({orderId, state, progress}: CoinAck): void {
  if (!isId(orderId)) throw new RangeError('a CoinAck needs a valid orderId');
  if (!Number.isInteger(state) || state < CoinState.COIN_ACCEPTED || state > CoinState.COIN_FAILED) {
    throw new RangeError(`a CoinAck's state is a CoinState, not ${state}`);
  }
  if (!Number.isInteger(progress) || progress < 0 || progress > 100) {
    throw new RangeError(`a CoinAck's progress is a whole number from 0 to 100, not ${progress}`);
  }
}

const shortened = (text: string): string =>
  text.length > LONGEST_ERROR ? `${text.slice(0, LONGEST_ERROR - 1)}…` : text;

function ackOf({orderId, state, progress, error}: LedgerEntry): CoinAck {
  return CoinAck.create({orderId, state, progress, error});
}
