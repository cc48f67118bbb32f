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
