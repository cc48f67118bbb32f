import {asMachine, type CoinOrder, type CoinRecord, type Report} from '../orders/index.js';

export interface CoinRequest {
  deviceId: string;
  /** 1 to 128 characters; the same number is the same order, for ever. */
  orderId: string;
  /** 1 to 4,294,967,295. */
  coins: number;
  /** 1 to 86,400: how long the device may take. */
  timeoutSeconds: number;
}

/** What happened to an order, after it was stored. */
export interface CoinOrderEvent {
  kind: 'created' | 'progressed' | 'finished' | 'discrepancy';
  order: CoinOrder;
  /** What the device said, where it differs from the order's state. */
  reported?: Report;
}

/** An order as programs see it: one that was cancelled or came too late has failed. */
export const publicOrder = (order: CoinRecord): CoinOrder => asMachine(order);
