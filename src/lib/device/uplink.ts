import {type ConnectionOptions, createSecureContext} from 'node:tls';
import {type ConfigFor, parseAddress} from '../config/index.js';
import {PaynetError} from '../errors.js';
import {type ErrorMsg, type MessageDefinition, type MessageRegistry, ResultCode} from '../registry/index.js';
import type {CloseReason, SessionLog} from '../session/index.js';
import {loadClientCredentials} from '../tls/index.js';
import {backoff} from './backoff.js';
import {dial, serverWasReached} from './dial.js';
import {type DeviceStatus, Heartbeat} from './heartbeat.js';
import {DeviceLink} from './link.js';
import {Introduction, type LoginFlow} from './login.js';
import type {ClientRoom} from './room.js';

/** What an uplink tells its client. */
export interface UplinkUser {
  online(news: {deviceId: string; resumed: boolean; tlsResumed: boolean; tlsVersion: string}): void;
  offline(news: {reason: CloseReason; error: Error | undefined}): void;
  retry(news: {error: Error; delayMs: number}): void;
  heartbeat(news: {roundTripMs: number; serverTime: number}): void;
  reported(error: ErrorMsg): void;
  /** A message that is no part of the uplink's own business. */
  receive(link: DeviceLink, definition: MessageDefinition, message: unknown): void | Promise<void>;
  seen(direction: 'sent' | 'received', name: string, message: unknown): void;
}

export interface UplinkOptions {
  config: ConfigFor<'client'>;
  registry: MessageRegistry;
  room: ClientRoom;
  log: SessionLog;
  status: (() => DeviceStatus) | undefined;
  localAddress: string | undefined;
  random: () => number;
  user: UplinkUser;
}

/** A client's connections, one after another: dial, introduction, heartbeats, and the pause before the next. */
export class Uplink {
  heartbeatMs: number;
  readonly #options: UplinkOptions;
  readonly #heartbeat: Heartbeat;
  #introduction: Introduction | undefined;
  #link: DeviceLink | undefined;
  #online = false;
  #onlineAt = 0;
  #tlsSession: Buffer | undefined;

  constructor(options: UplinkOptions) {
    this.#options = options;
    this.heartbeatMs = options.config.client.heartbeat_send;
    this.#heartbeat = new Heartbeat(options.room.wheel, options.status, options.log);
  }

  /** Empty until the first login. */
  get deviceId(): string {
    return this.#introduction?.deviceId ?? '';
  }

  /** The present connection, from the end of its handshake on. */
  get link(): DeviceLink | undefined {
    return this.#link;
  }

  /** The present connection while messages may be sent. */
  get onlineLink(): DeviceLink | undefined {
    return this.#online ? this.#link : undefined;
  }

  /** Keeps a connection up until `stopping`; `prepare` is done before the first. Rejects when it can never be up. */
  async run(flow: LoginFlow, stopping: AbortSignal, prepare: () => Promise<void>): Promise<void> {
    const introduction = new Introduction(flow);
    this.#introduction = introduction;
    const {tls, server_name, reconnect} = this.#options.config.client;
    const credentials = await loadClientCredentials({...tls, server_name});
    // Made once: the certificates are not parsed anew at every reconnect.
    credentials.secureContext = createSecureContext(credentials);
    await prepare();
    let failures = 0;
    while (!stopping.aborted) {
      const {error, onlineMs} = await this.#connection(credentials, introduction, stopping);
      if (stopping.aborted) return;
      // A server that lets us in and closes at once has not recovered: the pauses grow as if it were away.
      if (onlineMs >= reconnect.base) failures = 0;
      await this.#pause(failures++, error, stopping);
    }
  }

  /** One connection, from its dial to its close; how it ended, and how long it was online. */
  async #connection(
    credentials: ConnectionOptions,
    introduction: Introduction,
    stopping: AbortSignal,
  ): Promise<{error: Error; onlineMs: number}> {
    let link: DeviceLink | undefined;
    let fault: Error | undefined;
    const onStop = (): void => link?.connection.close('stopped');
    try {
      link = await this.#connect(credentials, stopping);
      stopping.addEventListener('abort', onStop);
      // It may have been stopped after the dial and before the listener.
      if (stopping.aborted) onStop();
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
    this.#heartbeat.stop();
    // A session that the server took and then refused us with would be refused for ever.
    if (!wasOnline && serverWasReached(error)) this.#tlsSession = undefined;
    if (!wasOnline) return {error, onlineMs: 0};
    this.#options.user.offline({reason, error: link?.connection.error});
    return {error, onlineMs: performance.now() - this.#onlineAt};
  }

  #connect(tls: ConnectionOptions, signal: AbortSignal): Promise<DeviceLink> {
    const {localAddress} = this.#options;
    const {addr, connect_timeout: timeoutMs} = this.#options.config.client;
    const address = parseAddress(addr);
    return dial({address, tls, timeoutMs, session: this.#tlsSession, localAddress, signal}, (socket) => {
      socket.on('session', (session) => {
        this.#tlsSession = session;
      });
      const {config, room, registry, log, user} = this.#options;
      const link = new DeviceLink({
        socket,
        room,
        registry,
        format: {length: config.frame.length, maxFrame: config.client.max_frame},
        queryRspType: config.client.query_rsp_type,
        log,
        user: {
          receive: (definition, message) => user.receive(link, definition, message),
          heartbeatAnswered: ({timestamp}) => this.#heartbeatAnswered(timestamp),
          reported: (error) => this.#reported(error),
          seen: (direction, name, message) => user.seen(direction, name, message),
        },
      });
      this.#link = link;
      return link;
    });
  }

  async #introduce(link: DeviceLink, introduction: Introduction): Promise<void> {
    const resumed = await introduction.run(link);
    if (!link.connection.open) return;
    this.#online = true;
    this.#onlineAt = performance.now();
    // Two heartbeats without an answer: the line is dead, whatever TCP believes.
    link.connection.expireWhenSilent(2 * this.heartbeatMs + 10_000, 'heartbeat_timeout');
    this.#heartbeat.start(link, this.heartbeatMs);
    const {deviceId} = introduction;
    this.#options.user.online({deviceId, resumed, tlsResumed: link.tlsResumed, tlsVersion: link.tlsVersion});
  }

  async #pause(failures: number, error: Error, stopping: AbortSignal): Promise<void> {
    const {base, max} = this.#options.config.client.reconnect;
    const delayMs = backoff(failures, base, max, this.#options.random());
    this.#options.user.retry({error, delayMs});
    if (stopping.aborted) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, delayMs);
      stopping.addEventListener('abort', done, {once: true});
      function done(): void {
        clearTimeout(timer);
        stopping.removeEventListener('abort', done);
        resolve();
      }
    });
  }

  #reported(error: ErrorMsg): void {
    this.#options.user.reported(error);
    if (error.code !== ResultCode.UNAUTHORIZED || !this.#online) return;
    // The server has forgotten us: a new connection introduces us anew.
    this.#introduction?.forget();
    this.#link?.connection.close('stopped');
  }

  #heartbeatAnswered(serverTime: number): void {
    const roundTripMs = this.#heartbeat.answered();
    if (roundTripMs !== undefined) this.#options.user.heartbeat({roundTripMs, serverTime});
  }
}
