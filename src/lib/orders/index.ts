export type {ChargeCounters, ChargeNews, ChargeOrdersOptions, ChargePort} from './charge-core.js';
export {
  applyCharge,
  type ChargeChange,
  type ChargeCreated,
  type ChargeProgress,
  createCharge,
  type NewCharge,
  notePort,
  notePortAlarm,
  noteProgress,
} from './charge-operations.js';
export type {ChargePlaced} from './charge-place.js';
export {PORT_STATES, type PortStatus} from './charge-port.js';
export type {PortMismatch, PortNoted, PortReport} from './charge-port-report.js';
export {
  activeChargeOfPort,
  activeCharges,
  activeChargesOfDevice,
  dueCharges,
  eventOfType,
  portByNo,
  portsOfDevice,
  waitingStopsOfDevice,
} from './charge-queries.js';
export {
  CHARGE_MODES,
  type ChargeFigures,
  type ChargeRecord,
  chargeRecordOf,
  type OrderedCharge,
  type PowerTier,
} from './charge-record.js';
export type {ChargeRequest} from './charge-request.js';
export {ChargeOrders, type EndedCommand, type StartAck} from './charge-service.js';
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
export type {ChargeResult} from './charge-write.js';
export type {CoinNews, CoinOrdersOptions, CoinOrdersPort} from './coin-options.js';
export {asMachine, type CoinRecord, type CoinState, isOver, recordOf} from './coin-record.js';
export type {CoinOrderRequest} from './coin-request.js';
export {CoinOrders} from './coin-service.js';
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
export {discrepancyListing, type OrderFilter, orderListing} from './listing.js';
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
  openOrdersOfDevice,
  orderByNo,
} from './queries.js';

/** What a store must load for these operations. */
export const ORDER_OPERATIONS = new URL('./operations.js', import.meta.url);
/** The same for those of charging orders. */
export const CHARGE_OPERATIONS = new URL('./charge-operations.js', import.meta.url);
