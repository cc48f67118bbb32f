export {
  CoinAck,
  CoinCommand,
  CoinState,
  ErrorMsg,
  LoginReq,
  LoginRsp,
  Ping,
  Pong,
  QueryReq,
  QueryRsp,
  RegisterReq,
  RegisterRsp,
  ResultCode,
} from './generated/paybox.js';
export {
  type Codec,
  type Direction,
  type Handler,
  type HandlerContext,
  type MessageDefinition,
  otherWay,
  typeText,
} from './message.js';
export {type DownMessages, isReservedType, Type, type UpMessages} from './paybox.js';
export {type GeneratedMessage, releaseReader} from './proto-codec.js';
export {isId} from './ranges.js';
export {MessageRegistry, type Registration} from './registry.js';
