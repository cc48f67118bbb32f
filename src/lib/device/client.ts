import {type ConfigInput, parseConfig} from '../config/index.js';
import {PaynetError} from '../errors.js';
import {
  CoinAck,
  type CoinCommand,
  type DownMessages,
  type ErrorMsg,
  type Handler,
  type HandlerContext,
  type MessageDefinition,
  MessageRegistry,
  type QueryReq,
  type QueryRsp,
  ResultCode,
  Type,
} from '../registry/index.js';
import type {SessionLog} from '../session/index.js';
import {CoinBox} from './coin-box.js';
import {ClientEmitter} from './events.js';
import type {DeviceStatus} from './heartbeat.js';
import {type Ledger, memoryLedger} from './ledger.js';
import type {DeviceLink} from './link.js';
import type {LoginFlow} from './login.js';
import {type ClientRoom, sharedRoom} from './room.js';
import {Uplink} from './uplink.js';

export interface ClientExtras {
  registry?: MessageRegistry;
  /** Where executed orders are remembered; in memory unless given, which does not survive a restart. */
  ledger?: Ledger;
  log?: SessionLog;
  /** What the next heartbeat says. */
  status?: () => DeviceStatus;
  /** Clients of one process may share one. */
  room?: ClientRoom;
  /** The address to connect from. */
  localAddress?: string;
  /** 0 to below 1, for the jitter of the reconnects. */
  random?: () => number;
}

const silent: SessionLog = {warn() {}, error() {}};

/** A pause of the heartbeats, as the configuration bounds it. */
const HEARTBEAT_MS = {least: 50, most: 3_600_000} as const;

/**
 * A device's end of the link: connects, registers, logs in, sends heartbeats, and comes back after every loss with
 * growing, jittered pauses. Orders are executed once each, and questions about them are answered, from the ledger.
 */
export class PaynetClient extends ClientEmitter {
  readonly #registry: MessageRegistry;
  readonly #log: SessionLog;
  readonly #coins: CoinBox;
  readonly #uplink: Uplink;
  readonly #stopping = new AbortController();
  #ended: Promise<void> | undefined;
  /** For whoever waits in `start`: no listener, since one that throws keeps the news from those after it. */
  #cameOnline = (): void => {};

  /** `config` is what a device's configuration file holds. Throws CONFIG_INVALID. */
  constructor(config: ConfigInput, extras: ClientExtras = {}) {
    super();
    const {status, localAddress, random = Math.random} = extras;
    this.#registry = extras.registry ?? new MessageRegistry();
    this.#log = extras.log ?? silent;
    this.#coins = new CoinBox(extras.ledger ?? memoryLedger(), {
      log: this.#log,
      stopping: this.#stopping.signal,
      deliver: (ack) => this.#deliver(ack),
      context: () => this.#context(),
    });
    this.#uplink = new Uplink({
      config: parseConfig(config, 'client'),
      registry: this.#registry,
      room: extras.room ?? sharedRoom(),
      log: this.#log,
      status,
      localAddress,
      random,
      user: {
        online: (news) => {
          this.#cameOnline();
          this.tell('online', news);
          this.#coins.sendUnsent();
        },
        offline: (news) => this.tell('offline', news),
        retry: (news) => this.tell('retry', news),
        heartbeat: (news) => this.tell('heartbeat', news),
        reported: (error) => this.#reported(error),
        receive: (link, definition, message) => this.#receive(link, definition, message),
        seen: (direction, name, message) => this.#seen(direction, name, message),
      },
    });
  }

  /** Empty until the first login. */
  get deviceId(): string {
    return this.#uplink.deviceId;
  }

  get online(): boolean {
    return this.#uplink.onlineLink !== undefined;
  }

  /**
   * Milliseconds between heartbeats, 50 to 3,600,000, instead of those configured; to be set before the start.
   * Throws a RangeError.
   */
  withHeartbeatInterval(ms: number): this {
    const {least, most} = HEARTBEAT_MS;
    if (!(ms >= least && ms <= most)) throw new RangeError(`heartbeats come every ${least} to ${most} ms, not ${ms}`);
    this.#uplink.heartbeatMs = ms;
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
    if (name === 'CoinAck') await this.#coins.send(CoinAck.fromPartial(message));
    else this.#onlineLink(name).send(name, message);
  }

  /** Asks the server for an order's state. Rejects with NOT_CONNECTED, QUERY_TIMEOUT or CONNECTION_CLOSED. */
  async query(orderId: string, timeoutMs = 10_000): Promise<QueryRsp> {
    return this.#onlineLink('QueryReq').query(orderId, timeoutMs);
  }

  /**
   * Runs until `stop()` or the signal. Rejects when it cannot work at all: a key that cannot be used, a wrong flow, a
   * ledger that cannot be written.
   */
  run(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    if (this.#ended !== undefined) {
      return Promise.reject(new PaynetError('ALREADY_STARTED', 'this client has been started already'));
    }
    this.#ended = this.#live(signal, flow);
    return this.#ended;
  }

  /** Starts and resolves when first online. Rejects as `run` does, and with ABORTED when it was stopped before. */
  async start(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    const online = new Promise<void>((resolve) => {
      if (this.#ended === undefined) this.#cameOnline = resolve;
    });
    const ended = this.run(signal, flow).then(() => {
      throw new PaynetError('ABORTED', 'the client was stopped before it came online');
    });
    await Promise.race([online, ended]);
  }

  /**
   * Ends the connection and the reconnecting. Resolves when both are over; calling it twice is fine. No order is begun
   * any more; one that is being executed goes on, and its end is stored while the ledger is open.
   */
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
    this.#uplink.link?.connection.destroy('connection_error');
  }

  async #live(signal: AbortSignal | undefined, flow: LoginFlow): Promise<void> {
    const onAbort = (): void => this.#stopping.abort();
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener('abort', onAbort);
    try {
      await this.#uplink.run(flow, this.#stopping.signal, () => this.#coins.recover());
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #receive(link: DeviceLink, definition: MessageDefinition, message: unknown): void | Promise<void> {
    if (definition.type === Type.coinCommand) return this.#coins.command(definition, message as CoinCommand);
    if (definition.handler !== undefined) return definition.handler(this.#context(), message);
    if (definition.name === 'QueryReq') return this.#answer(link, message as QueryReq);
  }

  async #answer(link: DeviceLink, question: QueryReq): Promise<void> {
    const answer = await this.#coins.answer(question);
    if (link.connection.open) link.send('QueryRsp', answer);
  }

  #deliver(ack: CoinAck): boolean {
    const link = this.#uplink.onlineLink;
    if (link === undefined || !link.connection.open) return false;
    link.send('CoinAck', ack);
    return true;
  }

  #reported(error: ErrorMsg): void {
    this.tell('fault', error);
    if (error.code === ResultCode.ORDER_DUPLICATED) this.#coins.repeatLast();
  }

  #onlineLink(name: string): DeviceLink {
    const link = this.#uplink.onlineLink;
    if (link === undefined) throw new PaynetError('NOT_CONNECTED', `${name} cannot be sent while offline`);
    return link;
  }

  #context(): HandlerContext {
    const session = this.#uplink.link?.context;
    return {
      deviceId: this.deviceId,
      connectionId: session?.connectionId ?? '',
      attributes: session?.attributes ?? new Map(),
      send: (name, message) => {
        this.send(name, message).catch((error) => this.#log.error({message: name, err: error}, 'not sent'));
      },
    };
  }

  #seen(direction: 'sent' | 'received', name: string, message: unknown): void {
    if (this.listenerCount('message') > 0) this.tell('message', {direction, name, message});
  }
}
