import {messageOf} from '../errors.js';
import {CoinAck, type CoinCommand, CoinState, isId, type QueryReq, QueryRsp, ResultCode} from '../registry/index.js';
import {Refusal} from '../session/index.js';
import type {Ledger, LedgerEntry} from './ledger.js';

/** What to do with a CoinCommand. */
export type Decision = {execute: true} | {execute: false; ack: CoinAck};

const isFinal = (state: CoinState): boolean => state === CoinState.COIN_DONE || state === CoinState.COIN_FAILED;

/**
 * The rule that money hangs on: an order id is executed once, whatever is resent and whenever the power fails. An
 * order is in the ledger before it is executed, and its state before it is acknowledged.
 */
export class ExecutedOrders {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * Ends the orders that a restart interrupted: how many of their coins are out is not known, so they are not
   * executed again. Answers the acks to send.
   */
  async recover(): Promise<CoinAck[]> {
    const interrupted = [...this.#ledger.entries()].filter((entry) => !isFinal(entry.state));
    const failed = interrupted.map((entry) => ({
      ...entry,
      state: CoinState.COIN_FAILED,
      error: `interrupted by a restart at ${entry.progress} %`,
    }));
    await Promise.all(failed.map((entry) => this.#ledger.put(entry)));
    return failed.map(ackOf);
  }

  /** Decides about a command. Throws Refusal when it is not an order at all. */
  async decide(command: CoinCommand): Promise<Decision> {
    const {orderId, coins} = command;
    if (!isId(orderId)) throw new Refusal(ResultCode.PARAM_ERROR, 'CoinCommand without a valid order_id');
    if (coins === 0) throw new Refusal(ResultCode.PARAM_ERROR, `order ${orderId}: no coins to pay out`);
    const known = this.#ledger.get(orderId);
    if (known !== undefined) return {execute: false, ack: ackOf(known)};
    const entry: LedgerEntry = {orderId, coins, state: CoinState.COIN_ACCEPTED, progress: 0, error: ''};
    try {
      await this.#ledger.put(entry);
    } catch (error) {
      const text = `the device cannot remember orders: ${messageOf(error)}`;
      return {execute: false, ack: ackOf({...entry, state: CoinState.COIN_FAILED, error: text})};
    }
    return {execute: true};
  }

  /** Notes what is about to be acknowledged; false when the order is final already and this would contradict it. */
  async note(ack: CoinAck): Promise<boolean> {
    const known = this.#ledger.get(ack.orderId);
    if (known === undefined) return true;
    if (isFinal(known.state)) return known.state === ack.state;
    await this.#ledger.put({...known, state: ack.state, progress: ack.progress, error: ack.error});
    return true;
  }

  /** The answer to the server's question about an order. */
  answer({orderId}: QueryReq): QueryRsp {
    const known = this.#ledger.get(orderId);
    if (known === undefined) return QueryRsp.create({orderId, code: ResultCode.ORDER_NOT_FOUND});
    const {state, progress, error} = known;
    return QueryRsp.create({orderId, state, progress, error, code: ResultCode.OK});
  }
}

function ackOf({orderId, state, progress, error}: LedgerEntry): CoinAck {
  return CoinAck.create({orderId, state, progress, error});
}
