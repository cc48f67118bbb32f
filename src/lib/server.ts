import {EventEmitter} from 'node:events';
import type {Api, ApiKeys} from './api/index.js';
import {type Idempotency, redisIdempotency} from './cluster/index.js';
import {type ConfigFor, type ConfigInput, parseConfig} from './config/index.js';
import {PaynetError} from './errors.js';
import {type GuardedHooks, guardHooks, loadHooks} from './hooks/index.js';
import {
  type CommandAnswer,
  type DeviceCommand,
  type DeviceEvent,
  Gateway,
  type LinkHooks,
  type ProtocolAdapter,
} from './link/index.js';
import {
  createLog,
  createMetrics,
  type Log,
  labelled,
  type Metrics,
  type ObserveServer,
  startObserveServer,
} from './observe/index.js';
import type {CoinNews, CoinOrder} from './orders/index.js';
import {type Handler, MessageRegistry, type UpMessages} from './registry/index.js';
import {type Business, createBusiness} from './server/business.js';
import {type Certificates, watchCertificates} from './server/certificates.js';
import {createChanges} from './server/changes.js';
import {type CoinOrderEvent, type CoinRequest, publicOrder} from './server/coin-request.js';
import {armCrashPoint} from './server/crash-point.js';
import {type Housekeeping, startHousekeeping} from './server/housekeeping.js';
import {startHttp} from './server/http.js';
import {linkHooks} from './server/link-hooks.js';
import {openStorage, type Storage, watchStore} from './server/storage.js';
import {startWebhook} from './server/webhook.js';

export type {CoinOrderEvent, CoinRequest} from './server/coin-request.js';

export interface ServerExtras {
  /** Messages of the project beside the built-in ones. */
  registry?: MessageRegistry;
  /** Decisions of the business; what is left out is decided by certificate and device list. */
  hooks?: Partial<LinkHooks>;
  /** Protocols beside paynet on the same port. */
  adapters?: readonly ProtocolAdapter[];
  log?: Log;
}

export interface ServerEvents {
  /** Something happened at a device. */
  device: [DeviceEvent];
  /** A coin order was made, moved on, ended, or is contradicted by its device. */
  order: [CoinOrderEvent];
  /** The storage has failed for good: nothing can be promised any more, and the process should end. */
  broken: [PaynetError];
  /** Certificates were read anew: the error, if they are not good; the old ones are then still in use. */
  reload: [Error | undefined];
}

/**
 * A server for payment boxes: the device gateway, durable orders, webhooks, the HTTP interface, metrics and health. This
 * is where the parts are put together; `start` and `stop` are the order in which they come and go.
 */
export class PaynetServer extends EventEmitter<ServerEvents> {
  readonly config: ConfigFor<'server'>;
  readonly registry: MessageRegistry;
  readonly metrics: Metrics;
  readonly #extras: ServerExtras;
  readonly #log: Log;
  readonly #changes = createChanges();
  #storage: Storage | undefined;
  #gateway: Gateway | undefined;
  #business: Business | undefined;
  #http: {keys: ApiKeys; api: Api} | undefined;
  #idempotency: Idempotency | undefined;
  #housekeeping: Housekeeping | undefined;
  #observe: ObserveServer | undefined;
  #certificates: Certificates | undefined;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #state: 'new' | 'starting' | 'serving' | 'stopping' | 'stopped' = 'new';

  /**
   * `config` is what a configuration file holds. Metrics are served only where `observe.addr` is given, the HTTP
   * interface only where `api.addr` is, and without `store.path` orders last no longer than the server.
   */
  constructor(config: ConfigInput, extras: ServerExtras = {}) {
    super();
    this.config = parseConfig(
      {...config, observe: {addr: 'off', ...config.observe}, api: {addr: 'off', ...config.api}},
      'server',
    );
    this.#extras = extras;
    this.registry = extras.registry ?? new MessageRegistry();
    this.metrics = createMetrics();
    const {log_level: level, log_format: format} = this.config.observe;
    this.#log = extras.log ?? createLog({level, format});
  }

  /** Where devices connect. Throws NOT_LISTENING before `start`. */
  get address(): {host: string; port: number} {
    const {address, port} = this.#running().address;
    return {host: address, port};
  }

  /** Whether devices can connect now. */
  get isListening(): boolean {
    return this.#gateway?.listening ?? false;
  }

  /** Where metrics and health are served; undefined when they are off. */
  get observeAddress(): {host: string; port: number} | undefined {
    return this.#observe?.address;
  }

  /** Where the HTTP interface is served; undefined when it is off. */
  get apiAddress(): {host: string; port: number} | undefined {
    return this.#http?.api.address;
  }

  /** The keys of the HTTP interface. Throws NOT_RUNNING before `start`, and when the interface is off. */
  get apiKeys(): ApiKeys {
    if (this.#http === undefined) throw notRunning();
    return this.#http.keys;
  }

  /** Handles a type of message from devices. Throws TYPE_UNKNOWN or HANDLER_TAKEN. */
  subscribe<K extends keyof UpMessages>(type: K, handler: Handler<UpMessages[K]>): this;
  subscribe<T>(type: number, handler: Handler<T>): this;
  subscribe(type: number, handler: Handler<never>): this {
    this.registry.handle(type, 'up', handler as Handler<unknown>);
    return this;
  }

  /**
   * Starts everything, the device link last. Any failure stops what was started and rejects with it: configuration,
   * certificates, PORT_IN_USE and the like; STOPPED when it was stopped meanwhile.
   */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw new PaynetError('ALREADY_STARTED', 'this server has been started already');
    this.#state = 'starting';
    this.#starting = this.#start();
    try {
      await this.#starting;
    } catch (error) {
      await this.stop();
      throw error;
    }
    if (this.#stopped !== undefined) throw new PaynetError('STOPPED', 'the server was stopped while it started');
    this.#state = 'serving';
  }

  /** Stops in reverse. Resolves when all is closed; calling it again is fine. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Resolves when the server has stopped. */
  async wait(): Promise<void> {
    if (this.#state === 'stopped') return;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /**
   * Pays out coins; resolves with the order's final state. The same order id again is the same order. Rejects with
   * ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE, QUEUE_OVERLOADED, IDEMPOTENCY_UNAVAILABLE or an error of the store:
   * then nothing was ordered; with SERVER_STOPPED or STORE_UNCERTAIN it may have been: the same order again tells.
   */
  async coin({deviceId, orderId, coins, timeoutSeconds}: CoinRequest): Promise<CoinOrder> {
    if (this.#business === undefined) throw notRunning();
    return publicOrder(await this.#business.payOut({deviceId, orderNo: orderId, coins, timeoutSeconds}));
  }

  /** Hands any command to a device. Rejects with DEVICE_OFFLINE, COMMAND_UNSUPPORTED or CONNECTION_CLOSED. */
  async command(deviceId: string, command: DeviceCommand): Promise<CommandAnswer | undefined> {
    return this.#running().command(deviceId, command);
  }

  isOnline(deviceId: string): boolean {
    return this.#business?.devices.isOnline(deviceId) ?? false;
  }

  /** Closes a device's connection; false when it is not online. */
  kick(deviceId: string): boolean {
    return this.#gateway?.kick(deviceId) ?? false;
  }

  /** Reads certificates, key and revocation lists anew. What is wrong leaves the old ones in use and is told by `reload`. */
  async reload(): Promise<void> {
    let fault: Error | undefined;
    try {
      // Before the end of the start there is nothing to be read anew.
      await this.#certificates?.reload();
    } catch (error) {
      fault = error as Error;
      this.#log.error({err: error}, 'certificates cannot be read anew; the old ones stay in use');
    }
    this.#announce('reload', fault);
  }

  async #start(): Promise<void> {
    const {config} = this;
    const log = this.#log;
    this.#certificates = await watchCertificates({
      tls: config.server.tls,
      metrics: this.metrics,
      log,
      changed: () => void this.reload(),
      use: (credentials) => this.#gateway?.reload(credentials),
    });
    if (config.observe.addr !== 'off') {
      const health = {ready: () => this.#ready()};
      this.#observe = await startObserveServer({addr: config.observe.addr, metrics: this.metrics, health, log});
    }
    this.#storage = await openStorage(config.store, log);
    const {store} = this.#storage;
    armCrashPoint(store, log);
    watchStore(this.#storage, this.metrics);
    void store.broken.then((error) => this.#announce('broken', error));
    if (config.idempotency.backend === 'redis' && config.idempotency.dsn !== undefined) {
      this.#idempotency = await redisIdempotency(config.idempotency.dsn, log);
    }
    const project = await this.#projectHooks();
    this.#gateway = new Gateway({
      config,
      credentials: this.#certificates.credentials,
      registry: this.registry,
      hooks: await linkHooks({
        auth: config.auth,
        project,
        own: this.#extras.hooks ?? {},
        business: () => this.#business,
      }),
      events: (event) => this.#happened(event),
      counters: this.metrics.counters,
      log,
      adapters: this.#extras.adapters ?? [],
    });
    const gateway = this.#gateway;
    this.metrics.watchDispatcher(() => ({running: gateway.dispatcher.running, waiting: gateway.dispatcher.waiting}));
    this.#business = createBusiness({
      session: config.session,
      store,
      gateway,
      hooks: project,
      idempotency: this.#idempotency,
      metrics: this.metrics,
      log,
      changes: this.#changes,
      tell: (news) => this.#orderMoved(news),
    });
    this.#business.sender = await startWebhook(config.events, {
      store,
      metrics: this.metrics,
      log,
      changes: this.#changes,
    });
    this.#http = await startHttp({
      config,
      storage: this.#storage,
      business: this.#business,
      gateway,
      changes: this.#changes,
      log,
    });
    this.#business.start();
    this.#housekeeping = startHousekeeping({store, posted: this.#business.sender !== undefined, log});
    await gateway.listen();
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    // Only what is open can be closed; why a start failed is told by `start`.
    await this.#starting?.catch(() => undefined);
    this.#certificates?.stop();
    await this.#http?.api.close();
    await this.#housekeeping?.stop();
    await this.#business?.charging.drain();
    await this.#gateway?.close(this.config.server.drain_timeout);
    await this.#business?.stop();
    await this.#idempotency?.close();
    await this.#storage?.close();
    await this.#observe?.close();
    this.metrics.close();
    this.#state = 'stopped';
    this.#log.info({}, 'stopped');
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #ready(): {ready: boolean; reasons: string[]} {
    const reasons: string[] = [];
    if (this.#state !== 'serving') reasons.push(`the server is ${this.#state}`);
    if (this.#storage?.store.ready === false) reasons.push('the database is away');
    if (this.#idempotency?.ready === false) reasons.push('Redis is away');
    return {ready: reasons.length === 0, reasons};
  }

  async #projectHooks(): Promise<GuardedHooks | undefined> {
    const {module} = this.config.hooks;
    if (module === undefined) return undefined;
    const hooks = guardHooks(await loadHooks(module), {log: this.#log});
    this.metrics.add([
      labelled('paynet_hook_failures_total', 'Hooks that failed, and so refused.', 'hook', () =>
        Object.entries(hooks.failures),
      ),
    ]);
    return hooks;
  }

  /** What depends on a device's message is stored before the device is answered. */
  #happened(event: DeviceEvent): void | Promise<void> {
    const done = this.#business?.happened(event);
    if (done === undefined) this.#announce('device', event);
    else return done.then(() => this.#announce('device', event));
  }

  #orderMoved({kind, order, reported}: CoinNews): void {
    this.#announce('order', {kind, order: publicOrder(order), ...(reported !== undefined && {reported})});
  }

  /** A listener that throws must not unwind what it listens to. */
  #announce<K extends keyof ServerEvents>(name: K, ...args: ServerEvents[K]): void {
    try {
      (this as EventEmitter).emit(name, ...args);
    } catch (error) {
      this.#log.error({err: error, event: name}, 'a listener failed');
    }
  }

  #running(): Gateway {
    if (this.#gateway === undefined) throw notRunning();
    return this.#gateway;
  }
}

function notRunning(): PaynetError {
  return new PaynetError('NOT_RUNNING', 'the server is not running');
}
