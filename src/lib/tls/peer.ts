import {hash} from 'node:crypto';
import type {TLSSocket} from 'node:tls';
import {DerCursor, DerError, Tag} from './der.js';
import {identityOfDer, type PeerIdentity} from './identity.js';

/** `peer [3] EXPLICIT X509` of OpenSSL's SSL_SESSION. */
const PEER = 0xa3;

/** Reads who the other end of a finished handshake is. */
export type PeerReader = (socket: TLSSocket) => PeerIdentity | undefined;

/**
 * A reader that remembers the last `limit` certificates: a device that comes back is known by the hash of its
 * certificate alone. What may change (revocation, dates, our policy) is not remembered; it is asked anew each time.
 *
 * It answers undefined without a certificate, or with one that cannot be read without doubt. The certificate is taken
 * from the session, where it lies as it came: Node's own accessors also copy and decode whatever chain the peer sent,
 * which costs a tenth of a handshake.
 */
export function createPeerReader(limit: number): PeerReader {
  const known = new Map<string, PeerIdentity>();

  function identityOf(der: Buffer): PeerIdentity | undefined {
    const fingerprint = hash('sha256', der);
    const found = known.get(fingerprint);
    if (found !== undefined) return found;
    const identity = identityOfDer(der, fingerprint);
    if (identity === undefined) return undefined;
    known.set(fingerprint, identity);
    if (known.size > limit) {
      const oldest = known.keys().next();
      if (oldest.done !== true) known.delete(oldest.value);
    }
    return identity;
  }

  return (socket) => {
    const session = socket.getSession();
    const der = session && certificateOfSession(session);
    const identity = der && identityOf(der);
    // The session holds the connection's secrets too.
    session?.fill(0);
    if (identity !== undefined) return identity;
    const certificate = socket.getPeerX509Certificate();
    return certificate && identityOf(certificate.raw);
  };
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
