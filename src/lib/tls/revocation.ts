import type {X509Certificate} from 'node:crypto';
import {PaynetError} from '../errors.js';
import {readCertificate} from './certificate.js';
import {type Crl, readCrls} from './crl.js';
import {dayOf} from './expiry.js';
import type {PeerIdentity, Revocation} from './identity.js';

export interface CrlText {
  text: string;
  /** Where it comes from, for messages. */
  source: string;
}

/**
 * The revocation lists of all authorities together: the second line behind OpenSSL's check, and the only one for
 * resumed handshakes.
 */
export class RevocationList implements Revocation {
  /** UTC milliseconds when the first of the lists runs out. */
  readonly nextUpdate: number;
  /** How many certificates are revoked. */
  readonly size: number;

  private constructor(
    readonly crls: readonly Crl[],
    private readonly byIssuer: ReadonlyMap<string, readonly Set<string>[]>,
  ) {
    this.nextUpdate = Math.min(...crls.map((crl) => crl.nextUpdate));
    this.size = crls.reduce((sum, crl) => sum + crl.revoked.size, 0);
  }

  /**
   * Reads lists and holds each against the authorities: known issuer, good signature, in force at `now` (UTC
   * milliseconds); and every authority must have one, since OpenSSL refuses all devices of one without.
   * Errors: CRL_EMPTY, CRL_INVALID, CRL_UNKNOWN_ISSUER, CRL_EXPIRED, CRL_NOT_YET_VALID, CRL_MISSING.
   */
  static fromPems(texts: readonly CrlText[], authorities: readonly X509Certificate[], now: number): RevocationList {
    const issuers = authorities.map((certificate) => ({
      certificate,
      subjectKey: readCertificate(certificate.raw).subjectKey,
    }));
    const covered = new Set<X509Certificate>();
    const byIssuer = new Map<string, Set<string>[]>();
    const crls = texts.flatMap(({text, source}) => readCrls(text, source));
    for (const crl of crls) {
      const signer = issuers.find(
        ({certificate, subjectKey}) => subjectKey === crl.issuerKey && crl.signedBy(certificate.publicKey),
      );
      if (signer === undefined) throw unknownIssuer(crl, issuers);
      checkDates(crl, now);
      covered.add(signer.certificate);
      byIssuer.set(crl.issuerKey, [...(byIssuer.get(crl.issuerKey) ?? []), crl.revoked]);
    }
    const bare = authorities.find((certificate) => !covered.has(certificate));
    if (bare !== undefined) {
      throw new PaynetError('CRL_MISSING', `There is no revocation list of the authority ${nameOf(bare)}.`, {
        hint: 'Give one list per authority; all devices of an authority without one would be refused.',
      });
    }
    return new RevocationList(crls, byIssuer);
  }

  has(identity: Pick<PeerIdentity, 'issuerKey' | 'serial'>): boolean {
    const lists = this.byIssuer.get(identity.issuerKey);
    return lists?.some((revoked) => revoked.has(identity.serial)) ?? false;
  }
}

function checkDates(crl: Crl, now: number): void {
  if (now > crl.nextUpdate) {
    throw new PaynetError('CRL_EXPIRED', `${crl.source} ran out on ${dayOf(crl.nextUpdate)}.`, {
      hint: 'Fetch the present list from the authority; with this one every device would be refused.',
    });
  }
  if (now < crl.thisUpdate) {
    throw new PaynetError('CRL_NOT_YET_VALID', `${crl.source} is not in force before ${dayOf(crl.thisUpdate)}.`, {
      hint: "Check this machine's clock.",
    });
  }
}

function unknownIssuer(crl: Crl, issuers: readonly {subjectKey: string}[]): PaynetError {
  if (issuers.some(({subjectKey}) => subjectKey === crl.issuerKey)) {
    return new PaynetError('CRL_INVALID', `${crl.source} is not signed by the authority that it names.`, {
      hint: 'It was changed, or comes from another authority of the same name.',
    });
  }
  return new PaynetError('CRL_UNKNOWN_ISSUER', `${crl.source} comes from none of the configured authorities.`, {
    hint: "Add its authority's certificate to client_ca, or remove the list.",
  });
}

function nameOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ');
}
