import net from 'node:net';
import tls from 'node:tls';
import {type Address, listenError} from '../config/index.js';
import {codeOf} from '../errors.js';
import type {LinkCounters} from '../observe/index.js';
import {Alarm, type DeadlineWheel} from '../session/index.js';
import {Admission, type AdmissionLimits} from './admission.js';

export interface ListenerOptions {
  address: Address;
  /** The configuration key of the address, for errors. */
  key: string;
  tls: tls.TlsOptions;
  limits: AdmissionLimits;
  handshakeTimeoutMs: number;
  wheel: DeadlineWheel;
  counters: LinkCounters;
  /** A handshake has succeeded; the certificate's chain, dates and purpose are checked unless it was resumed. */
  onConnection(socket: tls.TLSSocket): void;
  /** A handshake has failed; the socket is destroyed already. */
  onFailure(reason: string, address: string): void;
}

export interface Listener {
  readonly address: net.AddressInfo;
  readonly tlsServer: tls.Server;
  readonly admission: Admission;
  /** Stops accepting and drops what is not past its handshake. */
  close(): Promise<void>;
}

/** One accepted TCP connection, from accept to the end of its socket. */
interface Arrival {
  address: string;
  key: string;
  /** By the wheel's time. */
  arrivedAt: number;
  beganAt: number;
  inHandshake: boolean;
  alarm: Alarm | undefined;
}

const kArrival = Symbol('arrival');
interface RawSocket extends net.Socket {
  [kArrival]: Arrival;
}

const KEEP_ALIVE_MS = 60_000;
/** How soon connections that the rate held back are looked at again. */
const PACE_MS = 100;

/**
 * Accepts TCP connections, paces them, and takes each through its TLS handshake within a hard limit, counted from the
 * TCP connection. Node's own handshake timeout leaves that open, so the limit here ends the TCP socket itself.
 * Rejects with PORT_IN_USE, PORT_DENIED or LISTEN_FAILED.
 */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const {wheel, counters} = options;
  const admission = new Admission(options.limits, wheel.now);
  const tlsServer = tls.createServer({...options.tls, handshakeTimeout: options.handshakeTimeoutMs});
  const inHandshake = new Map<string, RawSocket>();
  const waiting = new Set<RawSocket>();

  const pacer = new Alarm(() => pump());
  // Half of the handshake limit is left to whoever begins. Without an end to the waiting, a storm longer than the
  // devices' own patience would spend every handshake on a connection that its device has given up.
  const longestWaitMs = options.handshakeTimeoutMs / 2;

  function pump(): void {
    for (const raw of waiting) {
      if (wheel.now - raw[kArrival].arrivedAt > longestWaitMs) {
        waiting.delete(raw);
        counters.handshakeFailures.count('timeout');
        options.onFailure('timeout', raw[kArrival].address);
        raw.destroy();
      } else if (admission.mayBegin(wheel.now)) {
        waiting.delete(raw);
        begin(raw);
      } else break;
    }
    if (waiting.size > 0 && pacer.wheelSlot < 0) wheel.schedule(pacer, PACE_MS);
  }

  function begin(raw: RawSocket): void {
    const arrival = raw[kArrival];
    arrival.inHandshake = true;
    arrival.beganAt = performance.now();
    arrival.alarm = new Alarm(() => fail(raw, 'timeout'));
    wheel.schedule(arrival.alarm, options.handshakeTimeoutMs - (wheel.now - arrival.arrivedAt));
    inHandshake.set(arrival.key, raw);
    tlsServer.emit('connection', raw);
  }

  /** Ends the bookkeeping of a handshake; answers whether it was still going on. */
  function leaveHandshake(raw: RawSocket): boolean {
    const arrival = raw[kArrival];
    if (!arrival.inHandshake) return false;
    arrival.inHandshake = false;
    // The peer may have used the same port again before we saw the end of this one.
    if (inHandshake.get(arrival.key) === raw) inHandshake.delete(arrival.key);
    if (arrival.alarm !== undefined) wheel.cancel(arrival.alarm);
    arrival.alarm = undefined;
    admission.ended();
    if (waiting.size > 0) pump();
    return true;
  }

  function fail(raw: RawSocket, reason: string): void {
    if (!leaveHandshake(raw)) return;
    counters.handshakeFailures.count(reason);
    options.onFailure(reason, raw[kArrival].address);
    raw.destroy();
  }

  function onRawClose(this: RawSocket): void {
    const arrival = this[kArrival];
    waiting.delete(this);
    // A refused certificate closes the TCP socket before Node tells the reason.
    if (arrival.inHandshake) setImmediate(fail, this, 'reset');
    counters.connections--;
    admission.left(arrival.address);
  }

  const server = net.createServer(
    {pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS},
    (socket) => {
      const raw = socket as RawSocket;
      const address = raw.remoteAddress ?? '';
      const refusal = admission.arrived(address);
      if (refusal !== undefined) {
        counters.refused.count(refusal);
        raw.on('error', onRawError);
        raw.destroy();
        return;
      }
      counters.connectionsTotal++;
      counters.connections++;
      raw[kArrival] = {
        address,
        key: `${address} ${raw.remotePort}`,
        arrivedAt: wheel.now,
        beganAt: 0,
        inHandshake: false,
        alarm: undefined,
      };
      raw.on('error', onRawError);
      raw.on('close', onRawClose);
      waiting.add(raw);
      pump();
    },
  );

  tlsServer.on('secureConnection', (socket) => {
    const raw = inHandshake.get(`${socket.remoteAddress} ${socket.remotePort}`);
    if (raw === undefined || !leaveHandshake(raw)) {
      socket.destroy();
      return;
    }
    if (socket.isSessionReused()) counters.handshakesResumed++;
    else counters.handshakesFull++;
    counters.handshakeSeconds.observe((performance.now() - raw[kArrival].beganAt) / 1000);
    options.onConnection(socket);
  });
  tlsServer.on('tlsClientError', (error, socket) => {
    // Without this the TCP connection of a timed-out handshake stays open.
    socket.destroy();
    const raw = tcpSocketOf(socket) ?? inHandshake.get(`${socket.remoteAddress} ${socket.remotePort}`);
    if (raw !== undefined) fail(raw, failureReason(error, socket));
  });

  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options.address, options.key)));
    server.listen({...options.address, backlog: 1024}, () => {
      server.removeAllListeners('error');
      // Out of descriptors: accepting fails until some are free; the connections there are not touched.
      server.on('error', (error) => options.onFailure(`accept_${codeOf(error) ?? 'failed'}`, ''));
      resolve();
    });
  });

  return {
    address: server.address() as net.AddressInfo,
    tlsServer,
    admission,
    close: () =>
      new Promise((resolve) => {
        wheel.cancel(pacer);
        for (const raw of waiting) raw.destroy();
        // Else the end of a handshake would begin the next one, on a socket that is closed.
        waiting.clear();
        for (const raw of inHandshake.values()) raw.destroy();
        server.close(() => resolve());
      }),
  };
}

/**
 * The TCP socket under a TLS socket. A destroyed one has no address any more to find it by, and Node has no public
 * name for it; without it a failure's reason reads `reset`.
 */
function tcpSocketOf(socket: tls.TLSSocket): RawSocket | undefined {
  const parent = (socket as {_parent?: RawSocket})._parent;
  return parent?.[kArrival] === undefined ? undefined : parent;
}

/** The `close` that follows does the bookkeeping. */
function onRawError(this: net.Socket): void {
  this.destroy();
}

/** A metric label out of what Node tells of a failed handshake; the set is closed. */
function failureReason(error: Error, socket: tls.TLSSocket): string {
  const refused: unknown = socket.authorizationError;
  const code = typeof refused === 'string' ? refused : (codeOf(refused) ?? codeOf(error) ?? '');
  return REASONS[code] ?? (code.startsWith('ERR_SSL_') ? 'protocol_error' : 'other');
}

const REASONS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'expired',
  CERT_NOT_YET_VALID: 'not_yet_valid',
  CERT_REVOKED: 'revoked',
  INVALID_PURPOSE: 'wrong_usage',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'unknown_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unknown_ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'unknown_ca',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'unknown_ca',
  CERT_SIGNATURE_FAILURE: 'unknown_ca',
  INVALID_CA: 'unknown_ca',
  UNABLE_TO_GET_CRL: 'crl_missing',
  CRL_HAS_EXPIRED: 'crl_expired',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'no_certificate',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls_version',
  ERR_SSL_NO_SHARED_CIPHER: 'tls_version',
  ERR_SSL_HTTP_REQUEST: 'plain_http',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not_tls',
  ERR_SSL_UNEXPECTED_MESSAGE: 'not_tls',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'timeout',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
};
