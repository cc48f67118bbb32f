export type {
  Acknowledgement,
  ChargeMode,
  CoinProgress,
  CommandAnswer,
  DeviceCommand,
  DeviceEvent,
  DeviceEventSink,
  Driver,
  LinkRoom,
  NetworkNode,
  OrderAnswer,
  Peer,
  ProtocolAdapter,
} from './adapter.js';
export {type DefaultHooksOptions, type DeviceList, defaultHooks, readDeviceList} from './default-hooks.js';
export {Gateway, type GatewayOptions} from './gateway.js';
export type {Awaitable, LinkHooks, LoginRequest, OrderView, RegisterRequest, Verdict} from './hooks.js';
