import {Registry} from 'prom-client';
import {createLinkCounters, type LinkCounters} from './counters.js';
import {counter, type Exported, gauge, histogram, labelled, register, tally} from './exported.js';
import {watchLoopDelay} from './loop-delay.js';
import {processMetrics} from './process.js';
import {printable} from './text.js';

export interface WatchedCertificate {
  file: string;
  subject: string;
  /** UTC milliseconds. */
  notAfter: number;
}

export interface Metrics {
  readonly counters: LinkCounters;
  readonly contentType: string;
  /** All figures in Prometheus' text format. */
  text(): Promise<string>;
  /** Says where the dispatcher's figures are read from. */
  watchDispatcher(read: () => {running: number; waiting: number}): void;
  /** The certificates in use, instead of those given before. */
  watchCertificates(certificates: readonly WatchedCertificate[]): void;
  /** Adds figures that are read from elsewhere. */
  add(metrics: Iterable<Exported>): void;
  /** Ends what measures; closing twice is fine. */
  close(): void;
}

/** The metrics of one server: its own registry, so that several live in one process. */
export function createMetrics(counters: LinkCounters = createLinkCounters()): Metrics {
  const registry = new Registry();
  const loopDelay = watchLoopDelay();
  let dispatcher = () => ({running: 0, waiting: 0});
  let certificates: readonly WatchedCertificate[] = [];

  register(registry, [
    ...linkMetrics(counters),
    gauge('paynet_dispatcher_running', 'Messages that are being handled.', () => dispatcher().running),
    gauge('paynet_dispatcher_waiting', 'Messages that wait for a handler.', () => dispatcher().waiting),
    {
      name: 'paynet_certificate_expiry_seconds',
      help: 'Seconds until a certificate ends; negative when it has ended.',
      type: 'gauge',
      read: () => {
        const now = Date.now();
        return certificates.map(({file, subject, notAfter}) => ({
          labels: {file: printable(file), subject: printable(subject)},
          value: (notAfter - now) / 1000,
        }));
      },
    },
    {
      name: 'paynet_event_loop_delay_seconds',
      help: 'How late the event loop was since the last reading.',
      type: 'gauge',
      read: () => Object.entries(loopDelay.read()).map(([quantile, value]) => ({labels: {quantile}, value})),
    },
    ...processMetrics(),
  ]);

  return {
    counters,
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watchDispatcher(read) {
      dispatcher = read;
    },
    watchCertificates(watched) {
      certificates = watched;
    },
    add: (metrics) => register(registry, metrics),
    close: () => loopDelay.close(),
  };
}

function linkMetrics(counters: LinkCounters): Exported[] {
  return [
    gauge('paynet_connections', 'Open connections.', () => counters.connections),
    gauge('paynet_sessions_online', 'Devices that are logged in.', () => counters.sessionsOnline),
    counter('paynet_connections_total', 'Connections accepted.', () => counters.connectionsTotal),
    tally('paynet_connections_refused_total', 'Connections refused by a limit.', 'reason', counters.refused),
    tally('paynet_logins_total', 'Logins by result.', 'result', counters.logins),
    tally('paynet_registrations_total', 'Registrations by result.', 'result', counters.registrations),
    labelled('paynet_frames_total', 'Frames by direction.', 'direction', () => [
      ['in', counters.framesIn],
      ['out', counters.framesOut],
    ]),
    labelled('paynet_bytes_total', 'Bytes of frames by direction, without TLS.', 'direction', () => [
      ['in', counters.bytesIn],
      ['out', counters.bytesOut],
    ]),
    tally('paynet_frame_errors_total', 'Frames that could not be served.', 'reason', counters.frameErrors),
    labelled('paynet_handshakes_total', 'TLS handshakes by kind.', 'kind', () => [
      ['full', counters.handshakesFull],
      ['resumed', counters.handshakesResumed],
    ]),
    tally('paynet_handshake_failures_total', 'TLS handshakes that failed.', 'reason', counters.handshakeFailures),
    histogram('paynet_handshake_seconds', 'Time from connection to TLS session.', counters.handshakeSeconds),
    histogram('paynet_heartbeat_latency_seconds', 'Latency of heartbeats.', counters.heartbeatSeconds),
    tally('paynet_closed_total', 'Connections that ended.', 'reason', counters.closed),
    counter('paynet_handler_errors_total', 'Handlers that failed.', () => counters.handlerErrors),
    {
      name: 'paynet_commands_total',
      help: 'Commands to devices by kind and result.',
      type: 'counter',
      read: () =>
        [...counters.commands].flatMap(([kind, results]) =>
          Array.from(results.entries(), ([result, value]) => ({labels: {kind, result}, value})),
        ),
    },
  ];
}
