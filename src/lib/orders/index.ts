export {
  ACTIVE_CHARGE_STATES,
  CHARGE_STATES,
  type ChargeEffect,
  type ChargeInput,
  type ChargeOrder,
  type ChargeRefusal,
  type ChargeState,
  type ChargeStep,
  chargeDueAt,
  chargeStep,
  isActiveCharge,
} from './charge-state.js';
export {asMachine, type CoinRecord, type CoinState, isOver, recordOf} from './coin-record.js';
export type {CoinOrderRequest} from './coin-request.js';
export {
  type CoinNews,
  CoinOrders,
  type CoinOrdersOptions,
  type CoinOrdersPort,
} from './coin-service.js';
export {
  type CoinEffect,
  type CoinInput,
  type CoinOrder,
  type CoinOrderState,
  type CoinStep,
  coinStep,
  isFinal,
  type Report,
  type ReportedState,
} from './coin-state.js';
export type {CoinResult} from './coin-write.js';
export {discrepancyListing, orderListing} from './listing.js';
export {
  cancelCoin,
  claimCoin,
  createCoin,
  endCoin,
  expireCoin,
  type NewCoin,
  reportCoin,
  resendCoin,
  resolveDiscrepancy,
} from './operations.js';
export {
  discrepanciesOfOrder,
  discrepancyById,
  dueCoins,
  LONGEST_OPEN_MS,
  openCoinsOfDevice,
  orderByNo,
} from './queries.js';

/** What a store must load for these operations. */
export const ORDER_OPERATIONS = new URL('./operations.js', import.meta.url);
