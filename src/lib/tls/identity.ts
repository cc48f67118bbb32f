import {hash, type X509Certificate} from 'node:crypto';
import {readCertificate} from './certificate.js';
import {DerError} from './der.js';
import {DEVICE_URN} from './names.js';

/** Who the peer is by its certificate, and what decides whether that still holds. */
export interface PeerIdentity {
  /** The subject's common name; empty when there is none, more than one, or none that is clean text. */
  readonly cn: string;
  /** Every name the certificate gives its holder: the common name, DNS names, device ids out of URIs. */
  readonly names: readonly string[];
  /** Upper-case hex, whole bytes, without leading zero bytes: as `X509Certificate.serialNumber` has it. */
  readonly serial: string;
  /** Equal for certificates of one issuer; of no meaning otherwise. */
  readonly issuerKey: string;
  /** UTC milliseconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  readonly clientAuth: boolean;
  readonly ca: boolean;
}

export type IdentityFault =
  | 'certificate_expired'
  | 'certificate_not_yet_valid'
  | 'certificate_revoked'
  | 'wrong_usage'
  | 'is_ca'
  | 'crl_expired';

/** What `identityFault` asks about revocation. */
export interface Revocation {
  has(identity: PeerIdentity): boolean;
  /** UTC milliseconds after which the lists say nothing any more. */
  readonly nextUpdate: number;
}

/** Reads whom a certificate names; see `identityOfDer`. */
export function identityOf(certificate: X509Certificate): PeerIdentity | undefined {
  return identityOfDer(certificate.raw);
}

/**
 * Reads whom a certificate names. Runs once per handshake, so it reads the bytes in one pass.
 * Undefined when they cannot be read without doubt: the peer is then to be refused.
 */
export function identityOfDer(der: Buffer): PeerIdentity | undefined {
  try {
    const fields = readCertificate(der);
    // With two common names, each reader would believe another one.
    const cn = fields.commonNameCount === 1 ? (fields.commonNames[0] ?? '') : '';
    const names = cn === '' ? [] : [cn];
    for (const name of fields.dnsNames) if (!names.includes(name)) names.push(name);
    for (const uri of fields.uris) {
      const id = uri.startsWith(DEVICE_URN) ? uri.slice(DEVICE_URN.length) : '';
      if (/^[A-Za-z0-9._-]+$/.test(id) && !names.includes(id)) names.push(id);
    }
    return {
      cn,
      names,
      serial: fields.serial,
      issuerKey: fields.issuerKey,
      notBefore: fields.notBefore,
      notAfter: fields.notAfter,
      fingerprint: hash('sha256', der),
      clientAuth: fields.clientAuth,
      ca: fields.ca,
    };
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

/**
 * Why a certificate that OpenSSL accepted is refused all the same; undefined when it is good. To be asked after
 * every handshake: a resumed one checks no date and no revocation, and OpenSSL takes a certificate without any
 * extended key usage for a client's. `now` is UTC milliseconds.
 */
export function identityFault(
  identity: PeerIdentity,
  now: number,
  revocation: Revocation | undefined,
): IdentityFault | undefined {
  if (identity.ca) return 'is_ca';
  if (!identity.clientAuth) return 'wrong_usage';
  if (now > identity.notAfter) return 'certificate_expired';
  if (now < identity.notBefore) return 'certificate_not_yet_valid';
  if (revocation === undefined) return undefined;
  if (revocation.has(identity)) return 'certificate_revoked';
  return now > revocation.nextUpdate ? 'crl_expired' : undefined;
}

/** Whether the certificate gives its holder exactly this id. */
export function ownsName(identity: PeerIdentity, id: string): boolean {
  return id !== '' && !id.includes('\uFFFD') && identity.names.includes(id);
}
