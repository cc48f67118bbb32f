import type {AddressInfo} from 'node:net';
import type {TLSSocket} from 'node:tls';
import {type ConfigFor, parseAddress} from '../config/index.js';
import {PaynetError} from '../errors.js';
import {type LinkCounters, type Log, printable, rateLimitedLog} from '../observe/index.js';
import type {MessageRegistry} from '../registry/index.js';
import {
  type CloseReason,
  Connection,
  type ConnectionRoom,
  DeadlineWheel,
  Dispatcher,
  Outgoing,
  ResumeTokens,
} from '../session/index.js';
import {
  identityFault,
  type PeerIdentity,
  peerIdentity,
  rotateTicketKeys,
  type ServerCredentials,
  type TicketKeys,
} from '../tls/index.js';
import type {
  CommandAnswer,
  DeviceCommand,
  DeviceEvent,
  DeviceEventSink,
  Driver,
  LinkRoom,
  Peer,
  ProtocolAdapter,
} from './adapter.js';
import {CertificateCount} from './certificate-count.js';
import {DeviceTable} from './devices.js';
import {drain} from './drain.js';
import type {LinkHooks} from './hooks.js';
import {type Listener, listen} from './listener.js';
import {type PaynetRoom, paynetAdapter} from './paynet/adapter.js';
import {sniff} from './sniffer.js';

export interface GatewayOptions {
  config: ConfigFor<'server'>;
  credentials: ServerCredentials;
  registry: MessageRegistry;
  hooks: LinkHooks;
  events: DeviceEventSink;
  counters: LinkCounters;
  log: Log;
  /** Protocols beside paynet on the same port. */
  adapters?: readonly ProtocolAdapter[];
}

const REASON_OF_FAULT = {
  certificate_expired: 'expired',
  certificate_not_yet_valid: 'not_yet_valid',
  certificate_revoked: 'revoked',
  wrong_usage: 'wrong_usage',
  is_ca: 'wrong_usage',
  crl_expired: 'crl_expired',
} as const;

/** A device's clock this far from ours says nothing about how long a heartbeat took. */
const CLOCK_LIMIT_MS = 60_000;

/**
 * The device side of a server: listens, authenticates, and holds one driver for each connection. What the devices do
 * comes out as events; what they are to do goes in as commands.
 */
export class Gateway {
  readonly devices = new DeviceTable();
  readonly dispatcher: Dispatcher;
  readonly wheel = new DeadlineWheel();
  readonly #options: GatewayOptions;
  readonly #room: ConnectionRoom;
  readonly #linkRoom: LinkRoom;
  readonly #adapters: readonly ProtocolAdapter[];
  readonly #open = new Map<Connection, Peer>();
  readonly #perCertificate: CertificateCount;
  readonly #note: ReturnType<typeof rateLimitedLog>;
  #credentials: ServerCredentials;
  #listener: Listener | undefined;
  #tickets: TicketKeys | undefined;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#credentials = options.credentials;
    const {config, counters} = options;
    const {limits} = config.server;
    this.dispatcher = new Dispatcher(config.dispatcher);
    this.#perCertificate = new CertificateCount(limits.per_certificate);
    this.#note = rateLimitedLog(options.log);
    this.#room = {
      wheel: this.wheel,
      outgoing: new Outgoing(),
      counters,
      limits: {
        writeBuffer: limits.write_buffer,
        messagesPerSecond: limits.messages_per_second,
        messageBurst: limits.message_burst,
      },
      ended: (connection) => this.#gone(connection),
    };
    this.#linkRoom = {
      wheel: this.wheel,
      hooks: options.hooks,
      emit: options.events,
      online: (driver) => this.#online(driver),
      offline: (driver, reason) => this.#offline(driver, reason),
    };
    this.#adapters = [paynetAdapter(this.#paynetRoom()), ...(options.adapters ?? [])];
  }

  /** Where it listens; only after `listen`. */
  get address(): AddressInfo {
    if (this.#listener === undefined) throw new PaynetError('NOT_LISTENING', 'the device link is not listening');
    return this.#listener.address;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  /** Begins to serve devices. Rejects with PORT_IN_USE, PORT_DENIED or LISTEN_FAILED. */
  async listen(): Promise<void> {
    const {config, counters, log} = this.#options;
    const {server} = config;
    this.wheel.start();
    try {
      this.#listener = await listen({
        address: parseAddress(server.addr),
        key: 'server.addr',
        tls: this.#credentials.options,
        limits: {
          maxConnections: server.limits.max_connections,
          perAddress: server.limits.per_address,
          acceptRate: server.limits.accept_rate,
          acceptBurst: server.limits.accept_burst,
          handshakes: server.limits.handshakes,
        },
        handshakeTimeoutMs: server.handshake_timeout,
        wheel: this.wheel,
        counters,
        onConnection: (socket) => this.#accept(socket),
        onFailure: (reason, address) =>
          this.#note.warn(`${reason} ${address}`, {reason, address}, 'a handshake has failed'),
      });
    } catch (error) {
      this.wheel.stop();
      throw error;
    }
    this.#tickets = rotateTicketKeys(this.#listener.tlsServer);
    log.info({address: this.address}, 'the device link is listening');
  }

  /**
   * Serves with other credentials from now on: new handshakes at once, and connections whose certificate is no longer
   * good are closed. All session tickets given out become useless.
   */
  reload(credentials: ServerCredentials): void {
    this.#listener?.tlsServer.setSecureContext(credentials.options);
    this.#credentials = credentials;
    this.#tickets?.rotateNow();
    const now = Date.now();
    for (const [connection, {identity}] of this.#open) {
      if (identity === undefined || identityFault(identity, now, credentials.revocation) === undefined) continue;
      connection.close('certificate_revoked');
    }
  }

  /** Hands a command to a device that is online. Rejects with DEVICE_OFFLINE and what `Driver.command` rejects with. */
  async command(deviceId: string, command: DeviceCommand): Promise<CommandAnswer | undefined> {
    const driver = this.devices.get(deviceId);
    if (driver === undefined) {
      throw new PaynetError('DEVICE_OFFLINE', `the device ${printable(deviceId)} is not online`);
    }
    try {
      const answer = await driver.command(command);
      this.#options.counters.command(command.kind, 'sent');
      return answer;
    } catch (error) {
      this.#options.counters.command(command.kind, 'failed');
      throw error;
    }
  }

  /** Closes a device's connection; false when it is not online. */
  kick(deviceId: string, text = 'closed by the operator'): boolean {
    const driver = this.devices.get(deviceId);
    driver?.dismiss('kicked', text);
    return driver !== undefined;
  }

  /** Stops accepting and closes the devices, spread over `drainMs` so that they do not all come back at once. */
  async close(drainMs: number): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#tickets?.stop();
    const closed = listener?.close();
    await drain([...this.#open.keys()], drainMs, (connection) => connection.close('shutdown'));
    await closed;
    await this.dispatcher.idle(drainMs);
    this.wheel.stop();
  }

  #accept(socket: TLSSocket): void {
    const identity = this.#identify(socket);
    if (identity === 'refused') {
      socket.destroy();
      return;
    }
    const {server} = this.#options.config;
    const connection = new Connection(socket, this.#room);
    const peer: Peer = {identity, remoteAddress: connection.remoteAddress};
    this.#open.set(connection, peer);
    connection.start(this.#receiver(connection, peer));
    connection.expireIn(server.login_timeout, 'login_timeout');
  }

  #receiver(connection: Connection, peer: Peer): ReturnType<typeof sniff> | Driver {
    const [only, ...others] = this.#adapters;
    if (only !== undefined && others.length === 0) return only.open(connection, peer, this.#linkRoom);
    return sniff(connection, peer, this.#adapters, this.#linkRoom, (prefix) => {
      const fields = {connectionId: connection.id, address: peer.remoteAddress, prefix: prefix.toString('hex')};
      this.#note.warn('protocol_unknown', fields, 'a connection speaks no known protocol');
    });
  }

  /** Who the peer is; `refused` when its certificate is not good, which a resumed handshake has not checked. */
  #identify(socket: TLSSocket): PeerIdentity | undefined | 'refused' {
    if (!this.#options.config.server.tls.mutual_auth) return undefined;
    const identity = peerIdentity(socket);
    const fault =
      identity === undefined ? 'wrong_usage' : identityFault(identity, Date.now(), this.#credentials.revocation);
    if (identity !== undefined && fault === undefined) {
      if (this.#perCertificate.take(identity.fingerprint)) return identity;
      this.#options.counters.refused.count('per_certificate');
    }
    const reason = fault === undefined ? 'per_certificate' : fault === 'wrong_usage' ? fault : REASON_OF_FAULT[fault];
    if (fault !== undefined) this.#options.counters.handshakeFailures.count(reason);
    const fields = {reason, address: socket.remoteAddress, name: printable(identity?.cn ?? '')};
    this.#note.warn(`${reason} ${socket.remoteAddress}`, fields, 'a certificate is refused');
    return 'refused';
  }

  #gone(connection: Connection): void {
    const identity = this.#open.get(connection)?.identity;
    this.#open.delete(connection);
    if (identity !== undefined) this.#perCertificate.give(identity.fingerprint);
    this.#options.counters.closed.count(connection.closeReason ?? 'peer_closed');
  }

  /** Tells of what no device waits for an answer to. */
  #tell(event: DeviceEvent): void {
    const failed = (error: unknown): void =>
      this.#options.log.error(
        {err: error, event: event.kind, deviceId: printable(event.deviceId)},
        'an event sink failed',
      );
    try {
      this.#options.events(event)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  #paynetRoom(): PaynetRoom {
    const {config, registry, counters, log} = this.#options;
    return {
      ...this.#linkRoom,
      session: {
        registry,
        format: {length: config.frame.length, maxFrame: config.server.max_frame},
        inbound: 'up',
        queryRspType: config.server.query_rsp_type,
        dispatcher: this.dispatcher,
        wheel: this.wheel,
        counters,
        log,
      },
      tokens: new ResumeTokens(),
      bindCertificate: config.auth.bind_certificate,
      counters,
      heartbeat: (driver, sentAt, now) => {
        const late = now - sentAt;
        if (late >= 0 && late < CLOCK_LIMIT_MS) counters.heartbeatSeconds.observe(late / 1000);
        const {deviceId, uptimeSeconds, signal, ip} = driver;
        if (deviceId !== '') this.#tell({kind: 'heartbeat', driver, at: now, deviceId, uptimeSeconds, signal, ip});
      },
      reported: (driver, code, text) => {
        const {deviceId} = driver;
        const fields = {deviceId: printable(deviceId), connectionId: driver.connection.id, code, text: printable(text)};
        this.#note.warn(`reported ${deviceId}`, fields, 'a device reports an error');
      },
    };
  }

  #online(driver: Driver): void {
    const {config, counters} = this.#options;
    driver.connection.expireWhenSilent(config.server.heartbeat_expect, 'heartbeat_timeout');
    counters.sessionsOnline++;
    const {deviceId} = driver;
    const before = this.devices.claim(deviceId, driver);
    // One that is closing already had its reason: its device coming back is no second device.
    if (before === undefined || !before.connection.open) return;
    before.dismiss('replaced', 'replaced by a newer connection of the same device');
    const text = `a second connection from ${driver.peer.remoteAddress} replaced the one from ${before.peer.remoteAddress}`;
    this.#tell({kind: 'alarm', driver, at: Date.now(), deviceId, alarm: 'replaced', text});
  }

  #offline(driver: Driver, reason: CloseReason): void {
    const {deviceId} = driver;
    this.#options.counters.sessionsOnline--;
    // The device may be here again already, on a newer connection: then it is not offline.
    if (!this.devices.release(deviceId, driver)) return;
    this.#tell({kind: 'disconnected', driver, at: Date.now(), deviceId, reason});
  }
}
