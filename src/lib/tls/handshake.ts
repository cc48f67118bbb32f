import type {X509Certificate} from 'node:crypto';
import {duplexPair} from 'node:stream';
import {connect, createServer, type TlsOptions} from 'node:tls';
import {messageOf, PaynetError} from '../errors.js';

const LIMIT_MS = 5000;

/**
 * Makes a real TLS handshake with these server options, in memory, and checks that this certificate is served: what
 * OpenSSL refuses only when it is used (a key too small, a suite that does not fit) shows before anything is swapped.
 * Error: TLS_UNUSABLE.
 */
export async function proveHandshake(options: TlsOptions, certificate: X509Certificate): Promise<void> {
  try {
    const served = await servedCertificate(options);
    if (served === undefined || !served.raw.equals(certificate.raw)) throw new Error('another certificate was served');
  } catch (cause) {
    throw new PaynetError('TLS_UNUSABLE', `A trial handshake with the certificate failed: ${messageOf(cause)}.`, {
      cause,
      hint: 'Check the type and size of the key: P-256, RSA of at least 2048 bits, or Ed25519.',
    });
  }
}

async function servedCertificate(options: TlsOptions): Promise<X509Certificate | undefined> {
  const server = createServer(options);
  const [near, far] = duplexPair();
  let timer: NodeJS.Timeout | undefined;
  // Nobody is to be trusted here: the certificate is compared with ours, byte for byte, by the caller.
  const client = connect({socket: near, rejectUnauthorized: false});
  try {
    return await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('it took too long')), LIMIT_MS);
      client.once('error', reject);
      // The server goes on to miss a client certificate; by then this side has seen what it came for.
      client.once('secureConnect', () => resolve(client.getPeerX509Certificate()));
      server.on('tlsClientError', (error) => reject(error));
      server.emit('connection', far);
    });
  } finally {
    clearTimeout(timer);
    client.on('error', ignore);
    far.on('error', ignore);
    client.destroy();
    near.destroy();
    far.destroy();
  }
}

/** The pair is torn down in the middle of the handshake; that the other end notices is no news. */
function ignore(): void {}
