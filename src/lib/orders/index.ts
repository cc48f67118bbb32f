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
export {CoinDesk, type CoinOrderEvent, type CoinPort, type CoinRequest, type Report} from './coin-desk.js';
export {
  type CoinEffect,
  type CoinInput,
  type CoinOrder,
  type CoinOrderState,
  type CoinStep,
  coinStep,
  isFinal,
  type ReportedState,
} from './coin-state.js';
