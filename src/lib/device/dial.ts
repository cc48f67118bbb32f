import tls, {type ConnectionOptions, type TLSSocket} from 'node:tls';
import type {Address} from '../config/index.js';
import {codeOf, messageOf, PaynetError} from '../errors.js';

export interface DialOptions {
  address: Address;
  tls: ConnectionOptions;
  /** For TCP and TLS together. */
  timeoutMs: number;
  /** A TLS session of an earlier connection. */
  session: Buffer | undefined;
  /** The address to come from; the system chooses unless told. */
  localAddress: string | undefined;
  signal: AbortSignal;
}

/**
 * Connects and ends the handshake; `take` is handed the socket at once, before it can emit anything more, and its
 * result is the answer. Rejects with CONNECT_TIMEOUT, SERVER_UNTRUSTED, CONNECT_FAILED or ABORTED. With TLS 1.3 the
 * server may still refuse our certificate after this: it then closes before its first answer.
 */
export function dial<T>(options: DialOptions, take: (socket: TLSSocket) => T): Promise<T> {
  const {address, timeoutMs, session, localAddress, signal} = options;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      ...options.tls,
      host: address.host ?? 'localhost',
      port: address.port,
      ...(localAddress !== undefined && {localAddress}),
      ...(session !== undefined && {session}),
    });
    const where = `${address.host ?? 'localhost'}:${address.port}`;
    const timer = setTimeout(() => {
      give(new PaynetError('CONNECT_TIMEOUT', `no TLS connection to ${where} within ${timeoutMs} ms`));
    }, timeoutMs);
    const onAbort = (): void => give(new PaynetError('ABORTED', `the connection to ${where} was given up`));
    const onError = (error: Error): void => give(connectError(error, where));

    function settle(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      socket.off('secureConnect', onSecure);
    }
    function give(error: Error): void {
      settle();
      // A destroyed socket may still report an error; it has been told already.
      socket.on('error', () => socket.destroy());
      socket.destroy();
      reject(error);
    }
    function onSecure(): void {
      settle();
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 60_000);
      resolve(take(socket));
    }
    socket.on('error', onError);
    socket.on('secureConnect', onSecure);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
}

/** Whether an error of `dial`, or of what came after it, is more than a line that does not lead to the server. */
export function serverWasReached(error: Error): boolean {
  if (codeOf(error) === 'CONNECT_TIMEOUT' || codeOf(error) === 'ABORTED') return false;
  const {cause} = error;
  return !(cause instanceof Error && 'syscall' in cause && cause.syscall === 'connect');
}

function connectError(error: Error, where: string): PaynetError {
  const code = codeOf(error) ?? '';
  if (UNTRUSTED.has(code)) {
    return new PaynetError('SERVER_UNTRUSTED', `the certificate of ${where} is not trusted: ${messageOf(error)}`, {
      cause: error,
      hint: 'Check client.tls.ca, and that the server certificate names this address.',
    });
  }
  return new PaynetError('CONNECT_FAILED', `cannot connect to ${where}: ${messageOf(error)}`, {cause: error});
}

const UNTRUSTED: ReadonlySet<string> = new Set([
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'INVALID_PURPOSE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'PATH_LENGTH_EXCEEDED',
  'UNABLE_TO_GET_ISSUER_CERT',
]);
