import {messageOf} from '../errors.js';
import {CoinAck, type CoinCommand, CoinState, type Handler} from '../registry/index.js';

/** A longer timer fires at once in Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A coin order while it is executed. */
export interface CoinOrder {
  readonly orderId: string;
  readonly coins: number;
  /** Aborted when the order's time is over: stop paying out and throw. */
  readonly signal: AbortSignal;
  /** Reports how far it is, 0 to 100 percent. */
  progress(percent: number): void;
}

/**
 * A handler for CoinCommand out of a function that pays out coins: `client.subscribe(0x04, dispense(async (order) =>
 * …))`. It reports RUNNING, then DONE when the function returns, and FAILED with the error's text when it throws.
 */
export function dispense(payOut: (order: CoinOrder) => Promise<void>): Handler<CoinCommand> {
  return async (context, command) => {
    const {orderId, coins, timeout} = command;
    const limit = new AbortController();
    // No time given means no limit.
    const ms = timeout === 0 ? LONGEST_TIMER_MS : Math.min(timeout * 1000, LONGEST_TIMER_MS);
    const timer = setTimeout(() => limit.abort(new Error(`not finished within ${timeout} s`)), ms);
    const report = (state: CoinState, progress: number, error = ''): void =>
      context.send('CoinAck', CoinAck.create({orderId, state, progress, error}));
    let reached = 0;
    const progress = (percent: number): void => {
      // What is no number must not end a payout half-way.
      if (!Number.isNaN(percent)) reached = Math.max(0, Math.min(100, Math.round(percent)));
      report(CoinState.COIN_RUNNING, reached);
    };
    try {
      progress(0);
      await payOut({orderId, coins, signal: limit.signal, progress});
      report(CoinState.COIN_DONE, 100);
    } catch (error) {
      report(CoinState.COIN_FAILED, reached, messageOf(error));
    } finally {
      clearTimeout(timer);
    }
  };
}
