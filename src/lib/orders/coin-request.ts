import {createHash} from 'node:crypto';
import {PaynetError} from '../errors.js';
import {isId} from '../registry/index.js';

export interface CoinOrderRequest {
  readonly deviceId: string;
  /** 1 to 128 characters; the same number is the same order, for ever. */
  readonly orderNo: string;
  /** 1 to 4,294,967,295. */
  readonly coins: number;
  /** 1 to 86,400: how long the device may take. */
  readonly timeoutSeconds: number;
  /** What was paid, in cents. */
  readonly amountCent?: number;
  /** 1 to 86,400: keeps the order so long for a device that is not online. Without it such an order is refused. */
  readonly keepSeconds?: number;
}

const DAY_SECONDS = 86_400;
const MAX_COINS = 0xffff_ffff;

/** @throws PaynetError ORDER_INVALID */
export function checkCoinRequest(request: CoinOrderRequest): void {
  const {orderNo, deviceId, coins, timeoutSeconds, amountCent = 0, keepSeconds = 1} = request;
  if (!isId(orderNo)) refuse('orderNo must be 1 to 128 visible characters');
  if (!isId(deviceId)) refuse('deviceId must be 1 to 128 visible characters');
  if (!isWithin(coins, 1, MAX_COINS)) refuse(`coins must be a whole number from 1 to ${MAX_COINS}`);
  if (!isWithin(timeoutSeconds, 1, DAY_SECONDS)) refuse(`timeoutSeconds must be 1 to ${DAY_SECONDS}`);
  if (!isWithin(amountCent, 0, Number.MAX_SAFE_INTEGER)) refuse('amountCent must be a whole number of cents');
  if (!isWithin(keepSeconds, 1, DAY_SECONDS)) refuse(`keepSeconds must be 1 to ${DAY_SECONDS}`);
}

/**
 * Of everything that was ordered: the same number with another one is another order. How long it is kept is none of it:
 * that may be the server's default, which may be another one when the request is repeated.
 */
export function bodyHash({deviceId, coins, timeoutSeconds, amountCent}: CoinOrderRequest): string {
  const body = JSON.stringify([deviceId, coins, timeoutSeconds, amountCent ?? null]);
  return createHash('sha256').update(body).digest('base64url');
}

const isWithin = (value: number, min: number, max: number): boolean =>
  Number.isInteger(value) && value >= min && value <= max;

function refuse(what: string): never {
  throw new PaynetError('ORDER_INVALID', what);
}
