import {PaynetError} from '../../errors.js';
import {
  type CoinAck,
  CoinState,
  type ErrorMsg,
  type HandlerContext,
  isId,
  type LoginReq,
  type MessageDefinition,
  type Ping,
  type QueryReq,
  type QueryRsp,
  type RegisterReq,
  ResultCode,
  Type,
} from '../../registry/index.js';
import {
  admits,
  type CloseReason,
  type Connection,
  nextState,
  Refusal,
  Session,
  type SessionRole,
  type SessionState,
} from '../../session/index.js';
import {ownsName} from '../../tls/index.js';
import type {CoinProgress, CommandAnswer, DeviceCommand, Driver, OrderAnswer, Peer} from '../adapter.js';
import type {Awaitable} from '../hooks.js';
import type {PaynetRoom} from './adapter.js';
import {pongPayload} from './pong.js';

const SUPPORTS: ReadonlySet<DeviceCommand['kind']> = new Set(['coin', 'queryOrder', 'raw']);

const PROGRESS: Record<number, CoinProgress | undefined> = {
  [CoinState.COIN_ACCEPTED]: 'accepted',
  [CoinState.COIN_RUNNING]: 'running',
  [CoinState.COIN_DONE]: 'done',
  [CoinState.COIN_FAILED]: 'failed',
};
const STATE: Record<CoinProgress, CoinState> = {
  accepted: CoinState.COIN_ACCEPTED,
  running: CoinState.COIN_RUNNING,
  done: CoinState.COIN_DONE,
  failed: CoinState.COIN_FAILED,
};

/** The server's side of one paynet connection. */
export class PaynetDriver implements Driver, SessionRole {
  readonly connection: Connection;
  readonly peer: Peer;
  readonly protocol = 'paynet';
  readonly supports = SUPPORTS;
  /** From the last heartbeat; -1 before it. */
  uptimeSeconds = -1;
  signal = 0;
  ip = '';
  #state: SessionState = 'fresh';
  readonly #session: Session;
  readonly #room: PaynetRoom;

  constructor(connection: Connection, peer: Peer, room: PaynetRoom) {
    this.connection = connection;
    this.peer = peer;
    this.#room = room;
    this.#session = new Session(connection, room.session, this);
  }

  get deviceId(): string {
    return this.#session.deviceId;
  }

  get context(): HandlerContext {
    return this.#session;
  }

  feed(chunk: Buffer): void {
    this.#session.feed(chunk);
  }

  resume(): void {
    this.#session.resume();
  }

  expired(reason: CloseReason): void {
    this.#session.expired(reason);
  }

  dismiss(reason: CloseReason, text: string): void {
    this.#session.sendError(ResultCode.FAILED, text);
    this.connection.close(reason);
  }

  async command(command: DeviceCommand): Promise<CommandAnswer | undefined> {
    switch (command.kind) {
      case 'coin':
        this.#session.send('CoinCommand', {
          orderId: command.orderId,
          coins: command.coins,
          timeout: command.timeoutSeconds,
        });
        return undefined;
      case 'queryOrder':
        return answerOf(await this.#session.query(command.orderId, command.timeoutMs));
      case 'raw':
        // The frame holds one byte of it and would take 0x104 for 0x04.
        if (!Number.isInteger(command.type) || command.type < 0 || command.type > 0xff) {
          throw new RangeError(`a frame type is a whole number from 0 to 255, not ${command.type}`);
        }
        this.#session.sendFrame(command.type, command.payload);
        return undefined;
      default:
        throw new PaynetError('COMMAND_UNSUPPORTED', `a payment box cannot do "${command.kind}"`);
    }
  }

  closed(reason: CloseReason): void {
    // The session closes first and calls back here through its role; the connection knows only the driver.
    if (this.#state === 'closed') return;
    const wasOnline = this.#state === 'online';
    this.#state = 'closed';
    this.#session.closed(reason);
    if (wasOnline) this.#room.offline(this, reason);
  }

  admits(definition: MessageDefinition): boolean {
    return admits(this.#state, definition.name);
  }

  heartbeat(message: unknown): void {
    const ping = message as Ping;
    const now = Date.now();
    this.#session.sendFrame(Type.pong, pongPayload(now));
    this.uptimeSeconds = ping.uptime;
    this.signal = ping.signal;
    // The old string is kept while it is the same: a heartbeat leaves nothing behind.
    if (ping.ip !== this.ip) this.ip = ping.ip;
    this.#room.heartbeat(this, ping.timestamp, now);
  }

  receive(definition: MessageDefinition, message: unknown): void | Promise<void> {
    switch (definition.name) {
      case 'RegisterReq':
        return this.#register(message as RegisterReq);
      case 'LoginReq':
        return this.#login(message as LoginReq);
      case 'CoinAck':
        return this.#ack(message as CoinAck);
      case 'QueryReq':
        return this.#query(message as QueryReq);
      case 'QueryRsp':
        throw new Refusal(ResultCode.PARAM_ERROR, 'an answer to a question that was not asked');
      default:
        if (definition.handler !== undefined) return definition.handler(this.#session, message);
        return this.#room.emit({
          kind: 'other',
          driver: this,
          at: Date.now(),
          deviceId: this.deviceId,
          name: definition.name,
          message,
        });
    }
  }

  reported(error: ErrorMsg): void {
    this.#room.reported(this, error.code, error.msg);
  }

  async #register(request: RegisterReq): Promise<void> {
    const refusal = this.#identityRefusal(request.deviceSn, 'device_sn');
    if (refusal !== undefined) {
      this.#refuseRegister(refusal.result, refusal.message);
      return;
    }
    const {deviceSn, model, firmware, devicePubkey} = request;
    const verdict = await this.#decided('register', () =>
      this.#room.hooks.register({deviceSn, model, firmware, devicePubkey, peer: this.peer}),
    );
    if (!this.connection.open) return;
    if (verdict === undefined || !verdict.allowed) {
      this.#refuseRegister(...refusalOf(verdict));
      return;
    }
    const {deviceId, first} = verdict;
    this.#room.counters.registrations.count(first ? 'ok' : 'exists');
    this.#session.send('RegisterRsp', {code: ResultCode.OK, msg: first ? 'registered' : 'already exists', deviceId});
    await this.#room.emit({kind: 'registered', driver: this, at: Date.now(), deviceId, model, firmware, first});
  }

  #refuseRegister(code: ResultCode, msg: string): void {
    this.#room.counters.registrations.count(labelOf(code));
    this.#session.send('RegisterRsp', {code, msg, deviceId: ''});
  }

  async #login(request: LoginReq): Promise<void> {
    const {deviceId, version} = request;
    const refusal = this.#identityRefusal(deviceId, 'device_id') ?? this.#otherDevice(deviceId);
    if (refusal !== undefined) {
      this.#refuseLogin(refusal.result, refusal.message);
      return;
    }
    const resumed = this.#room.tokens.isGood(request.token, deviceId);
    const token = resumed ? '' : request.token;
    const verdict = await this.#decided('login', () =>
      this.#room.hooks.login({deviceId, token, version, resumed, peer: this.peer}),
    );
    if (verdict === undefined || !verdict.allowed) {
      this.#refuseLogin(...refusalOf(verdict));
      return;
    }
    const state = nextState(this.#state, 'loginAccepted');
    // The connection may have ended while the hook decided.
    if (state === undefined || !this.connection.open) return;
    const again = this.#state === 'online';
    this.#state = state;
    this.#session.deviceId = deviceId;
    this.#room.counters.logins.count(resumed ? 'resumed' : 'ok');
    if (!again) this.#room.online(this);
    this.#session.send('LoginRsp', {
      code: ResultCode.OK,
      msg: resumed ? 'resumed' : 'ok',
      resumeToken: this.#room.tokens.issue(deviceId),
    });
    await this.#room.emit({kind: 'loggedIn', driver: this, at: Date.now(), deviceId, version, resumed});
  }

  #refuseLogin(code: ResultCode, msg: string): void {
    this.#room.counters.logins.count(labelOf(code));
    if (this.connection.open) this.#session.send('LoginRsp', {code, msg, resumeToken: ''});
  }

  /** What a hook decides; one that fails refuses (undefined), and the device is told so in the answer it waits for. */
  async #decided<T>(hook: 'register' | 'login', decide: () => Awaitable<T>): Promise<T | undefined> {
    try {
      return await decide();
    } catch (error) {
      const {counters, log} = this.#room.session;
      counters.handlerErrors++;
      log.error({connectionId: this.connection.id, hook, err: error}, 'a hook failed');
      return undefined;
    }
  }

  #identityRefusal(id: string, field: string): Refusal | undefined {
    if (!isId(id)) return new Refusal(ResultCode.PARAM_ERROR, `${field} is empty, too long or has unfit characters`);
    const {identity} = this.peer;
    if (!this.#room.bindCertificate || identity === undefined || ownsName(identity, id)) return undefined;
    return new Refusal(ResultCode.UNAUTHORIZED, `${field} does not belong to this certificate`);
  }

  #otherDevice(deviceId: string): Refusal | undefined {
    if (this.#state !== 'online' || this.deviceId === deviceId) return undefined;
    return new Refusal(ResultCode.UNAUTHORIZED, 'this connection is logged in as another device');
  }

  #ack(ack: CoinAck): void | Promise<void> {
    const {orderId, progress, error} = ack;
    const state = PROGRESS[ack.state];
    // An empty CoinAck decodes to ACCEPTED (paynet.md, two gaps).
    if (!isId(orderId)) throw new Refusal(ResultCode.PARAM_ERROR, 'CoinAck without a valid order_id');
    if (state === undefined || progress > 100) {
      throw new Refusal(ResultCode.PARAM_ERROR, `CoinAck with state ${ack.state} and progress ${progress}`);
    }
    const {deviceId} = this;
    return this.#room.emit({
      kind: 'commandAck',
      driver: this,
      at: Date.now(),
      deviceId,
      orderId,
      state,
      progress,
      error,
    });
  }

  async #query(request: QueryReq): Promise<void> {
    const {orderId} = request;
    if (!isId(orderId)) throw new Refusal(ResultCode.PARAM_ERROR, 'QueryReq without a valid order_id');
    const view = await this.#room.hooks.order(this.deviceId, orderId);
    if (!this.connection.open) return;
    this.#session.send(
      'QueryRsp',
      view === undefined
        ? {orderId, state: 0, progress: 0, error: '', code: ResultCode.ORDER_NOT_FOUND}
        : {orderId, state: STATE[view.state], progress: view.progress, error: view.error, code: ResultCode.OK},
    );
  }
}

function refusalOf(verdict: {reason: string} | undefined): [code: ResultCode, msg: string] {
  if (verdict === undefined) return [ResultCode.FAILED, 'the server cannot decide this now'];
  return [ResultCode.UNAUTHORIZED, verdict.reason];
}

function labelOf(code: ResultCode): string {
  if (code === ResultCode.PARAM_ERROR) return 'param_error';
  return code === ResultCode.UNAUTHORIZED ? 'unauthorized' : 'failed';
}

function answerOf(answer: QueryRsp): OrderAnswer {
  if (answer.code === ResultCode.ORDER_NOT_FOUND) return {found: false};
  const state = PROGRESS[answer.state];
  if (state === undefined || answer.progress > 100) {
    throw new PaynetError('ANSWER_INVALID', `state ${answer.state}, progress ${answer.progress}: no such answer`);
  }
  // Older peers answer ACCEPTED and 0 % for any order, known or not.
  const certain = answer.code !== undefined || state !== 'accepted' || answer.progress > 0;
  return {found: true, state, progress: answer.progress, error: answer.error, certain};
}
