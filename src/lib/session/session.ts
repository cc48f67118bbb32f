import {codeOf, messageOf, PaynetError} from '../errors.js';
import {FrameDecoder, FrameError, type FrameFormat} from '../frame/index.js';
import {
  type Direction,
  type ErrorMsg,
  type HandlerContext,
  type MessageDefinition,
  type MessageRegistry,
  otherWay,
  type QueryReq,
  type QueryRsp,
  ResultCode,
  releaseReader,
  Type,
  typeText,
} from '../registry/index.js';
import type {CloseReason, Connection, Receiver} from './connection.js';
import type {Dispatcher, Lane} from './dispatcher.js';
import {Queries} from './queries.js';
import type {DeadlineWheel} from './wheel.js';

/** What went wrong with a frame; a metric label, so the set is closed. */
export type FrameErrorReason = 'empty' | 'too_long' | 'unknown_type' | 'undecodable' | 'unauthorized' | 'bad_value';

export interface SessionLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export interface SessionCounters {
  framesOut: number;
  handlerErrors: number;
  frameError(reason: FrameErrorReason): void;
}

/** What all sessions of a server, or of a client, have in common. */
export interface SessionRoom {
  registry: MessageRegistry;
  format: FrameFormat;
  /** Which way the messages come in: `up` on a server. */
  inbound: Direction;
  /** 0x05, or 0x85 for a wire on which answers are never taken for questions. */
  queryRspType: number;
  dispatcher: Dispatcher;
  wheel: DeadlineWheel;
  counters: SessionCounters;
  log: SessionLog;
}

/** What the two ends of the link do differently. */
export interface SessionRole {
  /** Whether a message is served in the present state; if not, it is answered with UNAUTHORIZED. */
  admits(definition: MessageDefinition): boolean;
  /** A heartbeat or its answer: at once, in front of whatever waits. */
  heartbeat(message: unknown): void;
  /** Any other message, one at a time. What it throws is answered with an ErrorMsg. */
  receive(definition: MessageDefinition, message: unknown): void | Promise<void>;
  /** The other end reported a fault. */
  reported(error: ErrorMsg): void;
  closed(reason: CloseReason): void;
}

/**
 * A message that is refused because of what it says: it is answered with an ErrorMsg of this result and text.
 * Thrown by roles and handlers.
 */
export class Refusal extends PaynetError {
  readonly result: ResultCode;

  constructor(result: ResultCode, message: string) {
    super('REFUSED', message);
    this.result = result;
  }
}

/** The paynet messages of one connection, on either end of it: frames in, handled messages out, and the way back. */
export class Session implements Receiver, Lane, HandlerContext {
  readonly connection: Connection;
  waiting: Lane['waiting'] = undefined;
  handling = false;
  /** Set by the role at login. */
  deviceId = '';
  readonly #room: SessionRoom;
  readonly #role: SessionRole;
  readonly #decoder: FrameDecoder;
  #attributes: Map<string, unknown> | undefined = undefined;
  #queries: Queries | undefined = undefined;

  constructor(connection: Connection, room: SessionRoom, role: SessionRole) {
    this.connection = connection;
    this.#room = room;
    this.#role = role;
    this.#decoder = new FrameDecoder((type, bytes, start, end) => this.#frame(type, bytes, start, end), room.format);
  }

  get connectionId(): string {
    return this.connection.id;
  }

  get attributes(): Map<string, unknown> {
    this.#attributes ??= new Map();
    return this.#attributes;
  }

  send(name: string, message: object): void {
    const definition = this.#room.registry.byName(name, otherWay(this.#room.inbound));
    if (definition === undefined) {
      throw new PaynetError('MESSAGE_UNKNOWN', `no message ${name} goes this way`, {
        hint: 'Register it, or look at the names and directions of the registry.',
      });
    }
    const type = definition.type === Type.queryRsp ? this.#room.queryRspType : definition.type;
    this.sendFrame(type, definition.codec.encode(message));
  }

  /** Sends a payload that is encoded already. Throws CONNECTION_CLOSED, or FrameError when it is too long. */
  sendFrame(type: number, payload: Uint8Array): void {
    this.connection.assertOpen();
    this.connection.outgoing.frame(this.connection, type, payload, this.#room.format);
    this.#room.counters.framesOut++;
  }

  /**
   * Sends an ErrorMsg unless the connection is closed; without its text where that does not fit into a frame, and
   * not at all where nothing fits. Never throws: it is called while bytes are read, where nobody could catch it.
   */
  sendError(code: ResultCode, msg: string): void {
    for (const text of [msg, '']) {
      if (!this.connection.open) return;
      try {
        this.send('ErrorMsg', {code, msg: text});
        return;
      } catch (error) {
        if (!(error instanceof FrameError)) throw error;
      }
    }
  }

  /**
   * Asks the other end for an order's state. Rejects with QUERY_TIMEOUT or CONNECTION_CLOSED. An answer of ACCEPTED
   * and 0 % without `code` proves nothing: older peers say that of any order.
   */
  query(orderId: string, timeoutMs: number): Promise<QueryRsp> {
    // Sent first: a question that does not fit into a frame must leave nobody waiting for its answer.
    this.send('QueryReq', {orderId});
    this.#queries ??= new Queries(this.#room.wheel);
    return this.#queries.ask(orderId, timeoutMs);
  }

  feed(chunk: Buffer): void {
    try {
      this.#decoder.push(chunk);
    } catch (error) {
      this.#lost(error);
    } finally {
      releaseReader();
    }
  }

  resume(): void {
    try {
      this.#decoder.resume();
    } catch (error) {
      this.#lost(error);
    } finally {
      releaseReader();
    }
  }

  expired(reason: CloseReason): void {
    this.sendError(ResultCode.FAILED, reason === 'login_timeout' ? 'no login in time' : 'no heartbeat in time');
  }

  closed(reason: CloseReason): void {
    this.#decoder.discard();
    this.#room.dispatcher.drop(this);
    this.#queries?.close();
    this.#role.closed(reason);
  }

  roomAgain(): void {
    this.connection.resumeAfterBacklog();
  }

  handle(definition: MessageDefinition, message: unknown): void | Promise<void> {
    if (!this.connection.open) return;
    if (!this.#role.admits(definition)) {
      this.#refuse('unauthorized', ResultCode.UNAUTHORIZED, `log in before ${definition.name}`);
      return;
    }
    try {
      const work: unknown = this.#role.receive(definition, message);
      // A handler in plain JavaScript may return anything, and a promise of any make.
      if (!isThenable(work)) return undefined;
      return Promise.resolve(work).catch((error: unknown) => this.#failed(definition, error));
    } catch (error) {
      this.#failed(definition, error);
    }
  }

  /** After a bad length nothing more can be read. */
  #lost(error: unknown): void {
    if (!(error instanceof FrameError)) throw error;
    this.#refuse(error.fault, ResultCode.PARAM_ERROR, error.message);
    this.connection.close('frame_error');
  }

  #frame(type: number, bytes: Buffer, start: number, end: number): boolean {
    const {connection} = this;
    const {registry, inbound} = this.#room;
    connection.frameArrived();
    let definition = registry.lookup(type, inbound);
    if (definition === undefined) {
      this.#refuse('unknown_type', ResultCode.PARAM_ERROR, `unknown type ${typeText(type)}`);
      return connection.reading;
    }
    let message: unknown;
    try {
      message = definition.codec.decode(bytes, start, end);
      // A 0x05 about an order that this side has asked for is the answer; any other is a question.
      if (type === Type.query && this.#queries?.isAsked((message as QueryReq).orderId) === true) {
        definition = registry.lookup(Type.queryRsp, inbound)!;
        message = definition.codec.decode(bytes, start, end);
      }
    } catch (error) {
      this.#undecodable(definition, error);
      return connection.reading;
    }
    if (type === Type.ping) this.#role.heartbeat(message);
    else if (type === Type.error) this.#reported(message as ErrorMsg);
    else if (type === Type.query || type === Type.queryRsp) this.#aboutOrder(definition, message as QueryRsp);
    else this.#submit(definition, message);
    return connection.reading;
  }

  #undecodable(definition: MessageDefinition, error: unknown): void {
    // Two sides that answer each other's faults would never end.
    if (definition.type === Type.error) this.#room.counters.frameError('undecodable');
    else this.#refuse('undecodable', ResultCode.PARAM_ERROR, `undecodable ${definition.name}: ${messageOf(error)}`);
  }

  #submit(definition: MessageDefinition, message: unknown): void {
    if (!this.#room.dispatcher.submit(this, definition, message)) this.connection.pauseForBacklog();
  }

  #aboutOrder(definition: MessageDefinition, message: QueryReq | QueryRsp): void {
    const answered = definition.type === Type.queryRsp && this.#queries?.answer(message as QueryRsp) === true;
    if (!answered) this.#submit(definition, message);
  }

  #reported(error: ErrorMsg): void {
    if (error.code === ResultCode.ORDER_NOT_FOUND && this.#queries?.answerUnknown() === true) return;
    this.#role.reported(error);
  }

  #refuse(reason: FrameErrorReason, code: ResultCode, text: string): void {
    this.#room.counters.frameError(reason);
    this.sendError(code, text);
  }

  #failed(definition: MessageDefinition, error: unknown): void {
    if (error instanceof Refusal) {
      this.#refuse('bad_value', error.result, error.message);
      return;
    }
    // Its answer came too late: the other end has left. That is no fault of the handler.
    if (codeOf(error) === 'CONNECTION_CLOSED' && !this.connection.open) return;
    this.#room.counters.handlerErrors++;
    const {connectionId, deviceId} = this;
    this.#room.log.error({connectionId, deviceId, message: definition.name, err: error}, 'a handler failed');
    this.sendError(ResultCode.FAILED, `${definition.name} could not be handled`);
  }
}

function isThenable(work: unknown): work is PromiseLike<void> {
  return typeof work === 'object' && work !== null && 'then' in work && typeof work.then === 'function';
}
