import {Histogram} from './histogram.js';
import {createTally, type Tally} from './tally.js';

/**
 * What the device link counts. Plain fields: counting a frame is one addition, and nothing here knows how the
 * figures are exported.
 */
export interface LinkCounters {
  /** Open now. */
  connections: number;
  /** Logged in now. */
  sessionsOnline: number;
  connectionsTotal: number;
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
  handshakesFull: number;
  handshakesResumed: number;
  handlerErrors: number;
  readonly refused: Tally;
  readonly logins: Tally;
  readonly registrations: Tally;
  readonly frameErrors: Tally;
  readonly handshakeFailures: Tally;
  readonly closed: Tally;
  /** By result, for each kind of command. */
  readonly commands: ReadonlyMap<string, Tally>;
  /** Seconds from TCP connection to TLS session. */
  readonly handshakeSeconds: Histogram;
  /** Seconds a heartbeat was on its way, by the clocks of both ends. */
  readonly heartbeatSeconds: Histogram;
  frameError(reason: string): void;
  command(kind: string, result: string): void;
}

/** The labels of every tally; whatever else is counted becomes "other". */
export const labels = {
  refused: ['max_connections', 'per_address', 'per_certificate'],
  logins: ['ok', 'resumed', 'unauthorized', 'param_error', 'device_not_found', 'failed'],
  registrations: ['ok', 'exists', 'unauthorized', 'param_error', 'failed'],
  frameErrors: ['empty', 'too_long', 'unknown_type', 'undecodable', 'unauthorized', 'bad_value'],
  handshakeFailures: [
    'no_certificate',
    'unknown_ca',
    'expired',
    'not_yet_valid',
    'revoked',
    'wrong_usage',
    'crl_missing',
    'crl_expired',
    'tls_version',
    'not_tls',
    'plain_http',
    'protocol_error',
    'reset',
    'timeout',
  ],
  closed: [
    'peer_closed',
    'connection_error',
    'login_timeout',
    'heartbeat_timeout',
    'slow_reader',
    'frame_error',
    'protocol_unknown',
    'replaced',
    'kicked',
    'certificate_revoked',
    'shutdown',
    'stopped',
    'internal_error',
  ],
  commandKinds: ['coin', 'queryOrder', 'startCharge', 'stopCharge', 'queryPort', 'setParams', 'network', 'ota', 'raw'],
  commandResults: ['sent', 'done', 'failed', 'duplicate', 'timeout', 'offline', 'refused'],
} as const;

/** A handshake takes 2 ms on a quiet server, seconds on a modem. */
const HANDSHAKE_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const HEARTBEAT_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export function createLinkCounters(): LinkCounters {
  const kinds = [...labels.commandKinds, 'other'];
  const commands = new Map(kinds.map((kind) => [kind, createTally(labels.commandResults)]));
  const frameErrors = createTally(labels.frameErrors);
  return {
    connections: 0,
    sessionsOnline: 0,
    connectionsTotal: 0,
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    handshakesFull: 0,
    handshakesResumed: 0,
    handlerErrors: 0,
    refused: createTally(labels.refused),
    logins: createTally(labels.logins),
    registrations: createTally(labels.registrations),
    frameErrors,
    handshakeFailures: createTally(labels.handshakeFailures),
    closed: createTally(labels.closed),
    commands,
    handshakeSeconds: new Histogram(HANDSHAKE_BOUNDS),
    heartbeatSeconds: new Histogram(HEARTBEAT_BOUNDS),
    frameError: (reason) => frameErrors.count(reason),
    command: (kind, result) => (commands.get(kind) ?? commands.get('other'))?.count(result),
  };
}
