import {
  CoinAck,
  CoinCommand,
  ErrorMsg,
  LoginReq,
  LoginRsp,
  type Ping,
  Pong,
  QueryReq,
  QueryRsp,
  RegisterReq,
  RegisterRsp,
} from './generated/paybox.js';
import type {Direction, MessageDefinition} from './message.js';
import {pingCodec} from './ping-codec.js';
import {type GeneratedMessage, protoCodec, type RangeCheck} from './proto-codec.js';
import {uint32, uint64} from './ranges.js';

/** The types of the deployed protocol (paynet.md, Types). */
export const Type = {
  registerReq: 0x01,
  registerRsp: 0x81,
  loginReq: 0x02,
  loginRsp: 0x82,
  ping: 0x03,
  pong: 0x03,
  coinCommand: 0x04,
  coinAck: 0x84,
  /** A question or, for an order asked about, its answer. */
  query: 0x05,
  /** Always an answer. */
  queryRsp: 0x85,
  error: 0xff,
} as const;

/** Reserved for diagnostics. */
export const isReservedType = (type: number): boolean => type >= 0xf0 && type <= 0xfe;

/** What a device sends, by type. A 0x05 that answers a query is delivered as 0x85. */
export interface UpMessages {
  0x01: RegisterReq;
  0x02: LoginReq;
  0x03: Ping;
  0x05: QueryReq;
  0x84: CoinAck;
  0x85: QueryRsp;
  0xff: ErrorMsg;
}

/** What a server sends, by type. A 0x05 that answers a query is delivered as 0x85. */
export interface DownMessages {
  0x03: Pong;
  0x04: CoinCommand;
  0x05: QueryReq;
  0x81: RegisterRsp;
  0x82: LoginRsp;
  0x85: QueryRsp;
  0xff: ErrorMsg;
}

function define<T>(
  type: number,
  direction: Direction,
  name: string,
  generated: GeneratedMessage<T>,
  check?: RangeCheck<T>,
): MessageDefinition {
  return {type, direction, name, codec: protoCodec(generated, check)} as MessageDefinition;
}

const checkPong: RangeCheck<Pong> = (pong) => uint64('timestamp', pong.timestamp);
const checkCommand: RangeCheck<CoinCommand> = (command) => {
  uint32('coins', command.coins);
  uint32('timeout', command.timeout);
};
const checkState: RangeCheck<CoinAck | QueryRsp> = (ack) => {
  uint32('state', ack.state);
  uint32('progress', ack.progress);
};
const checkError: RangeCheck<ErrorMsg> = (error) => uint32('code', error.code);

/** The built-in messages as registry definitions, without handlers. */
export function payboxMessages(): MessageDefinition[] {
  const bothWays: MessageDefinition[] = (['up', 'down'] as const).flatMap((direction) => [
    define(Type.query, direction, 'QueryReq', QueryReq),
    define(Type.queryRsp, direction, 'QueryRsp', QueryRsp, checkState),
    define(Type.error, direction, 'ErrorMsg', ErrorMsg, checkError),
  ]);
  return [
    define(Type.registerReq, 'up', 'RegisterReq', RegisterReq),
    define(Type.registerRsp, 'down', 'RegisterRsp', RegisterRsp),
    define(Type.loginReq, 'up', 'LoginReq', LoginReq),
    define(Type.loginRsp, 'down', 'LoginRsp', LoginRsp),
    {type: Type.ping, direction: 'up', name: 'Ping', codec: pingCodec} as MessageDefinition,
    define(Type.pong, 'down', 'Pong', Pong, checkPong),
    define(Type.coinCommand, 'down', 'CoinCommand', CoinCommand, checkCommand),
    define(Type.coinAck, 'up', 'CoinAck', CoinAck, checkState),
    ...bothWays,
  ];
}
