import {PaynetError} from '../errors.js';
import type {CoinRecord} from '../orders/index.js';

/** Who waits for the end of an order. */
export interface OrderWaiters {
  /** Resolves with the order's final state. `forget` ends the waiting without an answer. */
  wait(orderNo: string): {ended: Promise<CoinRecord>; forget(): void};
  /** An order has ended. */
  finished(order: CoinRecord): void;
  /** The server stops: whoever waits is told that the order goes on. */
  close(): void;
}

interface Waiter {
  resolve(order: CoinRecord): void;
  reject(error: Error): void;
}

export function createOrderWaiters(): OrderWaiters {
  const waiting = new Map<string, Set<Waiter>>();

  function take(orderNo: string): Set<Waiter> {
    const found = waiting.get(orderNo) ?? new Set();
    waiting.delete(orderNo);
    return found;
  }

  return {
    wait(orderNo) {
      const {promise, resolve, reject} = withResolvers<CoinRecord>();
      // Who forgets it does not hear of its end either.
      promise.catch(() => {});
      const waiter = {resolve, reject};
      const others = waiting.get(orderNo);
      if (others === undefined) waiting.set(orderNo, new Set([waiter]));
      else others.add(waiter);
      return {
        ended: promise,
        forget() {
          const left = waiting.get(orderNo);
          left?.delete(waiter);
          if (left?.size === 0) waiting.delete(orderNo);
        },
      };
    },
    finished(order) {
      for (const {resolve} of take(order.orderNo)) resolve(order);
    },
    close() {
      for (const orderNo of [...waiting.keys()]) {
        const error = new PaynetError('SERVER_STOPPED', `the server stops while order ${orderNo} is open`, {
          hint: 'The same order again, with the same number, tells what became of it.',
        });
        for (const {reject} of take(orderNo)) reject(error);
      }
    },
  };
}

/** `Promise.withResolvers` of later Node versions. */
function withResolvers<T>(): Waiter & {promise: Promise<T>; resolve(value: T): void} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return {promise, resolve, reject} as Waiter & {promise: Promise<T>; resolve(value: T): void};
}
