import {EventEmitter} from 'node:events';
import type {ConnectionOptions} from 'node:tls';
import {type ConfigFor, type ConfigInput, parseAddress, parseConfig} from '../config/index.js';
import {messageOf, PaynetError} from '../errors.js';
import {
  CoinAck,
  type CoinCommand,
  type DownMessages,
  type ErrorMsg,
  type Handler,
  type HandlerContext,
  type MessageDefinition,
  MessageRegistry,
  Ping,
  type Pong,
  type QueryReq,
  type QueryRsp,
  ResultCode,
  Type,
} from '../registry/index.js';
import {Alarm, type CloseReason, type SessionLog} from '../session/index.js';
import {loadClientCredentials} from '../tls/index.js';
import {backoff} from './backoff.js';
import {dial} from './dial.js';
import {type Ledger, memoryLedger} from './ledger.js';
import {DeviceLink} from './link.js';
import {Introduction, type LoginFlow} from './login.js';
import {ExecutedOrders} from './once.js';
import {type ClientRoom, sharedRoom} from './room.js';

export interface ClientExtras {
  registry?: MessageRegistry;
  /** Where executed orders are remembered; in memory unless given, which does not survive a restart. */
  ledger?: Ledger;
  log?: SessionLog;
  /** What the next heartbeat says: signal strength as the modem reports it, and the device's address. */
  status?: () => {signal: number; ip: string};
  /** Clients of one process may share one. */
  room?: ClientRoom;
  /** The address to connect from. */
  localAddress?: string;
  /** 0 to below 1, for the jitter of the reconnects. */
  random?: () => number;
}

export interface ClientEvents {
  /** Logged in. `resumed`: the server took up the last session; `tlsResumed`: so did TLS. */
  online: [{deviceId: string; resumed: boolean; tlsResumed: boolean; tlsVersion: string}];
  offline: [{reason: CloseReason; error: Error | undefined}];
  /** A try has failed or a connection has ended; the next try comes in `delayMs`. */
  retry: [{error: Error; delayMs: number}];
  message: [{direction: 'sent' | 'received'; name: string; message: unknown}];
  heartbeat: [{roundTripMs: number; serverTime: number}];
  /** The server reported a fault. */
  fault: [ErrorMsg];
}

const silent: SessionLog = {warn() {}, error() {}};

/**
 * A device's end of the link: connects, registers, logs in, sends heartbeats, and comes back after every loss with
 * growing, jittered pauses. Orders are executed once each, and questions about them are answered, from the ledger.
 */
export class PaynetClient extends EventEmitter<ClientEvents> {
  readonly #config: ConfigFor<'client'>;
  readonly #registry: MessageRegistry;
  readonly #orders: ExecutedOrders;
  readonly #log: SessionLog;
  readonly #room: ClientRoom;
  readonly #extras: ClientExtras;
  readonly #startedAt = performance.now();
  readonly #stopping = new AbortController();
  readonly #beat = new Alarm(() => this.#sendHeartbeat());
  /** Acks that could not be sent; sent after the next login. */
  readonly #unsent = new Map<string, CoinAck>();
  #heartbeatMs: number;
  #introduction: Introduction | undefined;
  #link: DeviceLink | undefined;
  #online = false;
  #tlsSession: Buffer | undefined;
  #beatSentAt = 0;
  #lastAck: CoinAck | undefined;
  #ended: Promise<void> | undefined;

  /** `config` is what a device's configuration file holds. Throws CONFIG_INVALID. */
  constructor(config: ConfigInput, extras: ClientExtras = {}) {
    super();
    this.#config = parseConfig(config, 'client');
    this.#extras = extras;
    this.#registry = extras.registry ?? new MessageRegistry();
    this.#orders = new ExecutedOrders(extras.ledger ?? memoryLedger());
    this.#log = extras.log ?? silent;
    this.#room = extras.room ?? sharedRoom();
    this.#heartbeatMs = this.#config.client.heartbeat_send;
  }

  /** Empty until the first login. */
  get deviceId(): string {
    return this.#introduction?.deviceId ?? '';
  }

  get online(): boolean {
    return this.#online;
  }

  /** Milliseconds between heartbeats, instead of those configured; to be set before the start. */
  withHeartbeatInterval(ms: number): this {
    this.#heartbeatMs = ms;
    return this;
  }

  /** Handles a type of message from the server. Throws TYPE_UNKNOWN or HANDLER_TAKEN. */
  subscribe<K extends keyof DownMessages>(type: K, handler: Handler<DownMessages[K]>): this;
  subscribe<T>(type: number, handler: Handler<T>): this;
  subscribe(type: number, handler: Handler<never>): this {
    this.#registry.handle(type, 'down', handler as Handler<unknown>);
    return this;
  }

  /**
   * Sends a message, given with the `$type` that ts-proto's `create` sets, or by its registered name. A CoinAck is in
   * the ledger before it leaves; while offline it is kept and sent after the next login.
   * Rejects with NOT_CONNECTED, MESSAGE_UNKNOWN, LEDGER_FAILED, or a RangeError for a value out of range.
   */
  send(message: {$type: string}): Promise<void>;
  send(name: string, message: object): Promise<void>;
  async send(first: string | {$type: string}, second?: object): Promise<void> {
    const name = typeof first === 'string' ? first : first.$type.slice(first.$type.lastIndexOf('.') + 1);
    const message = second ?? (first as object);
    if (name === 'CoinAck') await this.#sendAck(CoinAck.fromPartial(message));
    else this.#onlineLink(name).send(name, message);
  }

  /** Asks the server for an order's state. Rejects with NOT_CONNECTED, QUERY_TIMEOUT or CONNECTION_CLOSED. */
  async query(orderId: string, timeoutMs = 10_000): Promise<QueryRsp> {
    return this.#onlineLink('QueryReq').query(orderId, timeoutMs);
  }

  /** Runs until `stop()` or the signal. Rejects when it cannot work at all: a key that cannot be used, a wrong flow. */
  run(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    if (this.#ended !== undefined) {
      return Promise.reject(new PaynetError('ALREADY_STARTED', 'this client has been started already'));
    }
    this.#ended = this.#live(signal, flow);
    return this.#ended;
  }

  /** Starts and resolves when first online. Rejects as `run` does, and with ABORTED when it was stopped before. */
  async start(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    const online = new Promise<void>((resolve) => this.once('online', () => resolve()));
    const ended = this.run(signal, flow).then(() => {
      if (!this.#wasOnline) throw new PaynetError('ABORTED', 'the client was stopped before it came online');
    });
    await Promise.race([online, ended]);
  }

  /** Ends the connection and the reconnecting. Resolves when both are over; calling it twice is fine. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // How it ended is told by run() or wait().
    await this.#ended?.catch(() => undefined);
  }

  /** Resolves when the client has stopped; rejects with what ended it. */
  async wait(): Promise<void> {
    await this.#ended;
  }

  /** Cuts the connection as a lost line would; the client reconnects. For trials and simulators. */
  drop(): void {
    this.#link?.connection.destroy('connection_error');
  }

  #wasOnline = false;

  async #live(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    this.#introduction = new Introduction(flow);
    const onAbort = (): void => this.#stopping.abort();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort);
    const stopping = this.#stopping.signal;
    try {
      const {tls, server_name} = this.#config.client;
      const credentials = await loadClientCredentials({...tls, server_name});
      for (const ack of await this.#orders.recover()) this.#unsent.set(ack.orderId, ack);
      let failures = 0;
      while (!stopping.aborted) {
        const {error, wasOnline} = await this.#connection(credentials, this.#introduction);
        failures = wasOnline ? 0 : failures + 1;
        if (!stopping.aborted) await this.#pause(failures, error);
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** One connection, from its dial to its close. */
  async #connection(
    credentials: ConnectionOptions,
    introduction: Introduction,
  ): Promise<{error: Error; wasOnline: boolean}> {
    const stopping = this.#stopping.signal;
    let link: DeviceLink | undefined;
    const onStop = (): void => link?.connection.close('stopped');
    let fault: Error | undefined;
    try {
      link = await this.#connect(credentials);
      stopping.addEventListener('abort', onStop);
      await this.#introduce(link, introduction);
    } catch (error) {
      fault = error as Error;
      link?.connection.close('stopped');
    }
    const reason = (await link?.closing) ?? 'connection_error';
    stopping.removeEventListener('abort', onStop);
    const error = fault ?? link?.connection.error ?? new PaynetError('DISCONNECTED', `disconnected: ${reason}`);
    const wasOnline = this.#online;
    this.#link = undefined;
    this.#online = false;
    this.#room.wheel.cancel(this.#beat);
    if (wasOnline) this.emit('offline', {reason, error: link?.connection.error});
    return {error, wasOnline};
  }

  async #connect(tls: ConnectionOptions): Promise<DeviceLink> {
    const {client, frame} = this.#config;
    const socket = await dial({
      address: parseAddress(client.addr),
      tls,
      timeoutMs: client.connect_timeout,
      session: this.#tlsSession,
      localAddress: this.#extras.localAddress,
      signal: this.#stopping.signal,
    });
    socket.on('session', (session) => {
      this.#tlsSession = session;
    });
    this.#link = new DeviceLink({
      socket,
      room: this.#room,
      registry: this.#registry,
      format: {length: frame.length, maxFrame: client.max_frame},
      queryRspType: client.query_rsp_type,
      log: this.#log,
      user: {
        receive: (definition, message) => this.#receive(definition, message),
        heartbeatAnswered: (pong) => this.#heartbeatAnswered(pong),
        reported: (error) => this.#reported(error),
        seen: (direction, name, message) => this.#seen(direction, name, message),
      },
    });
    return this.#link;
  }

  async #introduce(link: DeviceLink, introduction: Introduction): Promise<void> {
    const resumed = await introduction.run(link);
    this.#online = true;
    this.#wasOnline = true;
    // Two heartbeats without an answer: the line is dead, whatever TCP believes.
    link.connection.expireWhenSilent(2 * this.#heartbeatMs + 10_000, 'heartbeat_timeout');
    this.#room.wheel.schedule(this.#beat, this.#heartbeatMs);
    this.emit('online', {
      deviceId: introduction.deviceId,
      resumed,
      tlsResumed: link.tlsResumed,
      tlsVersion: link.tlsVersion,
    });
    const unsent = [...this.#unsent.values()];
    this.#unsent.clear();
    for (const ack of unsent) this.#transmitAck(ack);
  }

  async #pause(failures: number, error: Error): Promise<void> {
    const {base, max} = this.#config.client.reconnect;
    const delayMs = backoff(failures, base, max, (this.#extras.random ?? Math.random)());
    this.emit('retry', {error, delayMs});
    const {signal} = this.#stopping;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, delayMs);
      signal.addEventListener('abort', done, {once: true});
      function done(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  #receive(definition: MessageDefinition, message: unknown): void | Promise<void> {
    if (definition.type === Type.coinCommand) return this.#coinCommand(definition, message as CoinCommand);
    if (definition.handler !== undefined) return definition.handler(this.#context(), message);
    if (definition.name === 'QueryReq') this.#link?.send('QueryRsp', this.#orders.answer(message as QueryReq));
  }

  async #coinCommand(definition: MessageDefinition, command: CoinCommand): Promise<void> {
    const decision = await this.#orders.decide(command);
    if (!decision.execute) {
      this.#transmitAck(decision.ack);
      return;
    }
    const ack = CoinAck.create({orderId: command.orderId});
    this.#transmitAck(ack);
    // Not awaited: while coins drop, questions and heartbeats go on.
    void this.#execute(definition, command);
  }

  async #execute(definition: MessageDefinition, command: CoinCommand): Promise<void> {
    const {orderId} = command;
    try {
      if (definition.handler === undefined) throw new PaynetError('NO_HANDLER', 'this device has no coin handler');
      await definition.handler(this.#context(), command);
    } catch (error) {
      this.#log.error({orderId, err: error}, 'a coin command failed');
      const failed = CoinAck.create({orderId, state: 3, error: messageOf(error)});
      await this.#sendAck(failed).catch((cause) => this.#log.error({orderId, err: cause}, 'an ack was not stored'));
    }
  }

  async #sendAck(ack: CoinAck): Promise<void> {
    if (await this.#orders.note(ack)) this.#transmitAck(ack);
    else this.#log.warn({orderId: ack.orderId}, 'an ack contradicts the final state of its order and is not sent');
  }

  #transmitAck(ack: CoinAck): void {
    this.#lastAck = ack;
    if (this.#link !== undefined && this.#online && this.#link.connection.open) this.#link.send('CoinAck', ack);
    else this.#unsent.set(ack.orderId, ack);
  }

  #reported(error: ErrorMsg): void {
    this.emit('fault', error);
    if (error.code === ResultCode.ORDER_DUPLICATED && this.#lastAck !== undefined) this.#transmitAck(this.#lastAck);
    // The server has forgotten us: a new connection introduces us anew.
    if (error.code === ResultCode.UNAUTHORIZED && this.#online) this.#link?.connection.close('stopped');
  }

  #sendHeartbeat(): void {
    if (this.#link === undefined || !this.#link.connection.open) return;
    const {signal, ip} = this.#extras.status?.() ?? {signal: 0, ip: ''};
    const uptime = Math.floor((performance.now() - this.#startedAt) / 1000);
    this.#beatSentAt = performance.now();
    this.#link.send('Ping', Ping.create({timestamp: Date.now(), uptime, signal, ip}));
    this.#room.wheel.schedule(this.#beat, this.#heartbeatMs);
  }

  #heartbeatAnswered(pong: Pong): void {
    this.emit('heartbeat', {roundTripMs: performance.now() - this.#beatSentAt, serverTime: pong.timestamp});
  }

  #onlineLink(name: string): DeviceLink {
    if (this.#link !== undefined && this.#online) return this.#link;
    throw new PaynetError('NOT_CONNECTED', `${name} cannot be sent while offline`);
  }

  #context(): HandlerContext {
    const attributes = this.#link?.context.attributes ?? new Map();
    const connectionId = this.#link?.context.connectionId ?? '';
    return {
      deviceId: this.deviceId,
      connectionId,
      attributes,
      send: (name, message) => {
        this.send(name, message).catch((error) => this.#log.error({message: name, err: error}, 'not sent'));
      },
    };
  }

  #seen(direction: 'sent' | 'received', name: string, message: unknown): void {
    if (this.listenerCount('message') > 0) this.emit('message', {direction, name, message});
  }
}
