import type {TLSSocket} from 'node:tls';
import {DerCursor, DerError, Tag} from './der.js';
import {identityOfDer, type PeerIdentity} from './identity.js';

/** `peer [3] EXPLICIT X509` of OpenSSL's SSL_SESSION. */
const PEER = 0xa3;

/**
 * Who the other end of a finished handshake is; undefined without a certificate, or with one that cannot be read
 * without doubt. The certificate is taken from the session, where it lies as it came: Node's own accessors also copy
 * and decode whatever chain the peer sent, which costs a tenth of a handshake (150 µs against 15).
 */
export function peerIdentity(socket: TLSSocket): PeerIdentity | undefined {
  const session = socket.getSession();
  if (session !== undefined) {
    const der = certificateOfSession(session);
    const identity = der === undefined ? undefined : identityOfDer(der);
    // The session holds the connection's secrets too.
    session.fill(0);
    if (identity !== undefined) return identity;
  }
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : identityOfDer(certificate.raw);
}

/** The peer's certificate in a serialised session (i2d_SSL_SESSION); undefined when it is not there as expected. */
export function certificateOfSession(session: Buffer): Buffer | undefined {
  try {
    const fields = new DerCursor(session).expect(Tag.sequence).enter();
    while (fields.more) {
      if (fields.next() !== PEER) continue;
      const certificate = fields.enter().expect(Tag.sequence);
      return session.subarray(certificate.start, certificate.end);
    }
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
  }
  return undefined;
}
