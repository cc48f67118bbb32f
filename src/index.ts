/** The SDK: `import {PaynetClient, PaynetServer, MessageRegistry} from 'paynetctl'`. */
export type {ConfigInput} from './lib/config/index.js';
export {
  type ClientEvents,
  type ClientExtras,
  type CoinOrder as DeviceCoinOrder,
  createClientRoom,
  dispense,
  fileLedger,
  type Ledger,
  type LedgerEntry,
  type LoginFlow,
  memoryLedger,
  PaynetClient,
} from './lib/device/index.js';
export {PaynetError} from './lib/errors.js';
export {type ReceivedWebhook, verifyWebhook, type WebhookVerdict} from './lib/events/index.js';
export {encodeFrame, FrameDecoder, FrameError, type FrameFormat} from './lib/frame/index.js';
export {
  defineHooks,
  type HookAnswer,
  type HookCertificate,
  type Hooks,
  type LoginHookRequest,
  type OrderHookRequest,
  type RegisterHookRequest,
} from './lib/hooks/index.js';
export type {
  Acknowledgement,
  ChargeMode,
  CommandAnswer,
  DeviceCommand,
  DeviceEvent,
  DeviceEventSink,
  Driver,
  LinkHooks,
  LinkRoom,
  LoginRequest,
  OrderView,
  Peer,
  ProtocolAdapter,
  RegisterRequest,
  Verdict,
} from './lib/link/index.js';
export type {CoinOrder} from './lib/orders/index.js';
export {
  type Codec,
  CoinAck,
  CoinCommand,
  CoinState,
  type Direction,
  ErrorMsg,
  type Handler,
  type HandlerContext,
  LoginReq,
  LoginRsp,
  MessageRegistry,
  Ping,
  Pong,
  QueryReq,
  QueryRsp,
  RegisterReq,
  RegisterRsp,
  type Registration,
  ResultCode,
  Type,
} from './lib/registry/index.js';
export {
  type CoinOrderEvent,
  type CoinRequest,
  PaynetServer,
  type ServerEvents,
  type ServerExtras,
} from './lib/server.js';
