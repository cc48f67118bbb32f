import type {TLSSocket} from 'node:tls';
import {messageOf, PaynetError} from '../errors.js';
import type {FrameFormat} from '../frame/index.js';
import {
  type ErrorMsg,
  type HandlerContext,
  type LoginRsp,
  type MessageDefinition,
  type MessageRegistry,
  type Pong,
  type QueryRsp,
  type RegisterRsp,
  ResultCode,
  Type,
} from '../registry/index.js';
import {Alarm, type CloseReason, Connection, Session, type SessionLog, type SessionRole} from '../session/index.js';
import {CLIENT_WRITE_BUFFER, type ClientRoom} from './room.js';

/** How long the server may take to answer a registration or login. */
const ANSWER_MS = 10_000;

/** What a link tells its client. */
export interface LinkUser {
  receive(definition: MessageDefinition, message: unknown): void | Promise<void>;
  heartbeatAnswered(pong: Pong): void;
  reported(error: ErrorMsg): void;
  /** A message went out or came in. */
  seen(direction: 'sent' | 'received', name: string, message: unknown): void;
}

export interface LinkOptions {
  socket: TLSSocket;
  room: ClientRoom;
  registry: MessageRegistry;
  format: FrameFormat;
  queryRspType: number;
  log: SessionLog;
  user: LinkUser;
}

interface Expected {
  resolve(message: unknown): void;
  reject(error: Error): void;
  alarm: Alarm;
}

/** One connection of a device, from the end of its handshake to its close. */
export class DeviceLink implements SessionRole {
  readonly connection: Connection;
  readonly closing: Promise<CloseReason>;
  readonly #session: Session;
  readonly #options: LinkOptions;
  readonly #expected = new Map<string, Expected>();
  #closed!: (reason: CloseReason) => void;

  constructor(options: LinkOptions) {
    this.#options = options;
    const {room, socket, registry, format, queryRspType, log} = options;
    const {wheel, outgoing, counters, dispatcher} = room;
    const limits = {writeBuffer: CLIENT_WRITE_BUFFER, messagesPerSecond: 0, messageBurst: 0};
    this.closing = new Promise((resolve) => {
      this.#closed = resolve;
    });
    this.connection = new Connection(socket, {wheel, outgoing, counters, limits});
    this.#session = new Session(
      this.connection,
      {registry, format, inbound: 'down', queryRspType, dispatcher, wheel, counters, log},
      this,
    );
    this.connection.start(this.#session);
  }

  /** Whether the handshake took up an earlier TLS session. */
  get tlsResumed(): boolean {
    return this.#options.socket.isSessionReused();
  }

  /** As Node writes it: `TLSv1.3`. */
  get tlsVersion(): string {
    return this.#options.socket.getProtocol() ?? '';
  }

  get context(): HandlerContext {
    return this.#session;
  }

  set deviceId(deviceId: string) {
    this.#session.deviceId = deviceId;
  }

  send(name: string, message: object): void {
    this.#session.send(name, message);
    this.#options.user.seen('sent', name, message);
  }

  async query(orderId: string, timeoutMs: number): Promise<QueryRsp> {
    const asked = this.#session.query(orderId, timeoutMs);
    this.#options.user.seen('sent', 'QueryReq', {orderId});
    const answer = await asked;
    this.#options.user.seen('received', 'QueryRsp', answer);
    return answer;
  }

  register(message: object): Promise<RegisterRsp> {
    return this.#exchange<RegisterRsp>('RegisterReq', message, 'RegisterRsp');
  }

  login(message: object): Promise<LoginRsp> {
    return this.#exchange<LoginRsp>('LoginReq', message, 'LoginRsp');
  }

  admits(): boolean {
    return true;
  }

  heartbeat(message: unknown): void {
    this.#options.user.seen('received', 'Pong', message);
    this.#options.user.heartbeatAnswered(message as Pong);
  }

  receive(definition: MessageDefinition, message: unknown): void | Promise<void> {
    this.#options.user.seen('received', definition.name, message);
    const expected = this.#take(definition.name);
    if (expected !== undefined) {
      expected.resolve(message);
      return;
    }
    // An answer that came after its time has nobody to take it.
    if (definition.type === Type.registerRsp || definition.type === Type.loginRsp) return;
    return this.#options.user.receive(definition, message);
  }

  reported(error: ErrorMsg): void {
    this.#options.user.seen('received', 'ErrorMsg', error);
    // Until the login nothing else is asked for: some servers refuse it with an ErrorMsg.
    for (const name of [...this.#expected.keys()]) {
      const text = `${ResultCode[error.code] ?? error.code} ${error.msg}`;
      this.#take(name)?.reject(new PaynetError('ANSWER_REFUSED', `instead of ${name} the server answers ${text}`));
    }
    this.#options.user.reported(error);
  }

  closed(reason: CloseReason): void {
    for (const name of [...this.#expected.keys()]) this.#take(name)?.reject(this.#endedBefore(name));
    this.#closed(reason);
  }

  #exchange<T>(name: string, message: object, answer: string): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.connection.open) {
        reject(this.#endedBefore(answer));
        return;
      }
      const alarm = new Alarm(() => {
        this.#take(answer)?.reject(new PaynetError('ANSWER_TIMEOUT', `no ${answer} within ${ANSWER_MS / 1000} s`));
      });
      try {
        this.send(name, message);
      } catch (error) {
        reject(error);
        return;
      }
      this.#expected.set(answer, {resolve: (received) => resolve(received as T), reject, alarm});
      this.#options.room.wheel.schedule(alarm, ANSWER_MS);
    });
  }

  #endedBefore(answer: string): PaynetError {
    const {error} = this.connection;
    const why = error === undefined ? '' : `: ${messageOf(error)}`;
    return new PaynetError('CONNECTION_CLOSED', `the connection was closed before the server's ${answer}${why}`, {
      cause: error,
      hint: 'The server may refuse our certificate: TLS 1.3 shows a refusal only as a close. Look at its log.',
    });
  }

  #take(name: string): Expected | undefined {
    const expected = this.#expected.get(name);
    if (expected === undefined) return undefined;
    this.#expected.delete(name);
    this.#options.room.wheel.cancel(expected.alarm);
    return expected;
  }
}
