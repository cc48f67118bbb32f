import {EventEmitter} from 'node:events';
import {type Idempotency, memoryIdempotency, redisIdempotency} from './cluster/index.js';
import {type ConfigFor, type ConfigInput, parseConfig, type ServerConfig} from './config/index.js';
import {PaynetError} from './errors.js';
import {
  type CommandAnswer,
  type DeviceCommand,
  type DeviceEvent,
  defaultHooks,
  Gateway,
  type LinkHooks,
  readDeviceList,
} from './link/index.js';
import {
  createLog,
  createMetrics,
  type Log,
  type Metrics,
  type ObserveServer,
  printable,
  startObserveServer,
} from './observe/index.js';
import {CoinDesk, type CoinOrder, type CoinOrderEvent, type CoinRequest} from './orders/index.js';
import {type Handler, MessageRegistry, type UpMessages} from './registry/index.js';
import {
  daysLeft,
  expiring,
  type FileWatch,
  loadServerCredentials,
  type ServerCredentials,
  watchFiles,
} from './tls/index.js';

export interface ServerExtras {
  /** Messages of the project beside the built-in ones. */
  registry?: MessageRegistry;
  /** Decisions of the business; what is left out is decided by certificate and device list. */
  hooks?: Partial<LinkHooks>;
  log?: Log;
}

export interface ServerEvents {
  /** Something happened at a device. */
  device: [DeviceEvent];
  /** A coin order moved on, ended, or is contradicted by its device. */
  order: [CoinOrderEvent];
  /** Certificates were read anew: the error, if they are not good; the old ones are then still in use. */
  reload: [Error | undefined];
}

const EXPIRY_DAYS = 30;
const EXPIRY_CHECK_MS = 12 * 60 * 60 * 1000;
const QUERY_TIMEOUT_MS = 10_000;

/**
 * A server for payment boxes: the device gateway, coin orders in memory, metrics and health. This is where the parts
 * are put together; `start` and `stop` are the order in which they come and go.
 */
export class PaynetServer extends EventEmitter<ServerEvents> {
  readonly config: ConfigFor<'server'>;
  readonly registry: MessageRegistry;
  readonly metrics: Metrics;
  readonly #extras: ServerExtras;
  readonly #log: Log;
  #gateway: Gateway | undefined;
  #desk: CoinDesk | undefined;
  #idempotency: Idempotency | undefined;
  #observe: ObserveServer | undefined;
  #watch: FileWatch | undefined;
  #expiryTimer: NodeJS.Timeout | undefined;
  #credentials: ServerCredentials | undefined;
  #starting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #state: 'new' | 'starting' | 'serving' | 'stopping' | 'stopped' = 'new';

  /** `config` is what a configuration file holds; metrics are served only where `observe.addr` is given. */
  constructor(config: ConfigInput, extras: ServerExtras = {}) {
    super();
    this.config = parseConfig({...config, observe: {addr: 'off', ...config.observe}}, 'server');
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
   * ORDER_INVALID, ORDER_CONFLICT, DEVICE_OFFLINE or IDEMPOTENCY_UNAVAILABLE: then nothing was sent; with SERVER_STOPPED
   * or QUERY_TIMEOUT it may have been: ask again with the same order id.
   */
  coin(request: CoinRequest): Promise<CoinOrder> {
    if (this.#desk === undefined) return Promise.reject(notRunning());
    return this.#desk.submit(request);
  }

  /** Hands any command to a device. Rejects with DEVICE_OFFLINE, COMMAND_UNSUPPORTED or CONNECTION_CLOSED. */
  async command(deviceId: string, command: DeviceCommand): Promise<CommandAnswer | undefined> {
    return this.#running().command(deviceId, command);
  }

  isOnline(deviceId: string): boolean {
    return this.#gateway?.devices.get(deviceId) !== undefined;
  }

  /** Closes a device's connection; false when it is not online. */
  kick(deviceId: string): boolean {
    return this.#gateway?.kick(deviceId) ?? false;
  }

  /** Reads certificates, key and revocation lists anew. What is wrong leaves the old ones in use and is told by `reload`. */
  async reload(): Promise<void> {
    let fault: Error | undefined;
    try {
      const credentials = await loadServerCredentials(this.config.server.tls);
      // Stopped meanwhile: nobody would end the watch over these files.
      if (this.#stopped !== undefined) return;
      this.#running().reload(credentials);
      this.#use(credentials);
      this.#log.info({files: credentials.files}, 'certificates and revocation lists are read anew');
    } catch (error) {
      fault = error as Error;
      this.#log.error({err: error}, 'certificates cannot be read anew; the old ones stay in use');
    }
    this.#announce('reload', fault);
  }

  async #start(): Promise<void> {
    const {config} = this;
    // Watched before they are read: a change in between is seen.
    this.#watch = watchFiles(tlsFiles(config.server.tls), () => void this.reload());
    const credentials = await loadServerCredentials(config.server.tls);
    this.#idempotency =
      config.idempotency.backend === 'redis' && config.idempotency.dsn !== undefined
        ? await redisIdempotency(config.idempotency.dsn, this.#log)
        : memoryIdempotency();
    if (config.observe.addr !== 'off') {
      this.#observe = await startObserveServer({
        addr: config.observe.addr,
        metrics: this.metrics,
        health: {ready: () => this.#ready()},
        log: this.#log,
      });
    }
    this.#gateway = new Gateway({
      config,
      credentials,
      registry: this.registry,
      hooks: await this.#hooks(this.#idempotency),
      events: (event) => this.#happened(event),
      counters: this.metrics.counters,
      log: this.#log,
    });
    const {dispatcher, wheel} = this.#gateway;
    this.metrics.watchDispatcher(() => ({running: dispatcher.running, waiting: dispatcher.waiting}));
    this.#desk = new CoinDesk(this.#port(this.#gateway, this.#idempotency), wheel, (event) => this.#orderMoved(event));
    this.#use(credentials);
    this.#expiryTimer = setInterval(() => this.#warnOfExpiry(), EXPIRY_CHECK_MS).unref();
    await this.#gateway.listen();
  }

  async #stop(): Promise<void> {
    this.#state = 'stopping';
    // Only what is open can be closed; why a start failed is told by `start`.
    await this.#starting?.catch(() => undefined);
    this.#watch?.stop();
    clearInterval(this.#expiryTimer);
    await this.#gateway?.close(this.config.server.drain_timeout);
    this.#desk?.close();
    await this.#observe?.close();
    await this.#idempotency?.close();
    this.metrics.close();
    this.#state = 'stopped';
    this.#log.info({}, 'stopped');
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #use(credentials: ServerCredentials): void {
    this.#credentials = credentials;
    this.metrics.watchCertificates(credentials.certificates);
    this.#warnOfExpiry();
  }

  #warnOfExpiry(): void {
    const now = Date.now();
    for (const {file, subject, notAfter} of expiring(this.#credentials?.certificates ?? [], now, EXPIRY_DAYS)) {
      const fields = {file, subject: printable(subject), days: daysLeft(notAfter, now)};
      this.#log.warn(fields, 'a certificate expires soon');
    }
  }

  #ready(): {ready: boolean; reasons: string[]} {
    const reasons: string[] = [];
    if (this.#state !== 'serving') reasons.push(`the server is ${this.#state}`);
    if (this.#idempotency?.ready === false) reasons.push('Redis is away');
    return {ready: reasons.length === 0, reasons};
  }

  async #hooks(idempotency: Idempotency): Promise<LinkHooks> {
    const {auth} = this.config;
    const own = defaultHooks({
      devices: auth.devices === undefined ? undefined : await readDeviceList(auth.devices),
      allowUnverified: auth.allow_unverified,
      firstSeen: async (deviceId) => (await idempotency.claim(`device:${deviceId}`, deviceId)) === 'new',
    });
    const order: LinkHooks['order'] = (deviceId, orderId) => {
      const found = this.#desk?.find(deviceId, orderId);
      if (found === undefined || found.state === 'created' || found.state === 'sent') return undefined;
      return {state: found.state, progress: found.progress, error: found.error};
    };
    return {...own, order, ...this.#extras.hooks};
  }

  #port(gateway: Gateway, idempotency: Idempotency): ConstructorParameters<typeof CoinDesk>[0] {
    return {
      claim: (orderId, content) => idempotency.claim(`order:${orderId}`, content),
      async coin({deviceId, orderId, coins, timeoutSeconds}) {
        await gateway.command(deviceId, {kind: 'coin', orderId, coins, timeoutSeconds});
      },
      async query({deviceId, orderId}) {
        const answer = await gateway.command(deviceId, {kind: 'queryOrder', orderId, timeoutMs: QUERY_TIMEOUT_MS});
        return answer ?? {found: false};
      },
    };
  }

  #happened(event: DeviceEvent): void {
    if (event.kind === 'commandAck') this.#desk?.reported(event.deviceId, event.orderId, event);
    else if (event.kind === 'loggedIn') this.#desk?.online(event.deviceId);
    this.#announce('device', event);
  }

  #orderMoved(event: CoinOrderEvent): void {
    const {order, kind} = event;
    const {orderId, deviceId, state} = order;
    const fields = {orderId: printable(orderId), deviceId: printable(deviceId), state};
    if (kind === 'finished') this.metrics.counters.command('coin', state === 'done' ? 'done' : 'failed');
    if (kind === 'discrepancy')
      this.#log.warn({...fields, reported: event.reported?.state}, 'a device contradicts an order');
    this.#announce('order', event);
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

/** The files behind a TLS configuration; its values may be PEM text too. */
function tlsFiles({cert, key, client_ca, crl}: ServerConfig['tls']): string[] {
  return [cert, key, client_ca, ...(crl ?? [])].filter(
    (value): value is string => value !== undefined && !value.startsWith('-----BEGIN'),
  );
}

function notRunning(): PaynetError {
  return new PaynetError('NOT_RUNNING', 'the server is not running');
}
