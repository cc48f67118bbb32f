import {type KeyObject, randomBytes, X509Certificate} from 'node:crypto';
import type {Extension} from '@peculiar/x509';
import {signingAlgorithm, webKey} from './keys.js';
import type {SubjectName} from './names.js';
import {loadX509} from './x509.js';

/** One part of a subject, such as `{CN: 'device001'}`: always data, never a text that somebody has to parse. */
export type NamePart = Readonly<Record<string, string>>;

export interface CertificateRequest {
  subject: readonly NamePart[];
  publicKey: KeyObject;
  /** Who signs; a certificate without an issuer signs itself. */
  issuer?: {certificate: X509Certificate};
  signingKey: KeyObject;
  notBefore: Date;
  notAfter: Date;
  /** Hex; random unless told. */
  serial?: string;
  /** Set for a certificate authority: how many further authorities may stand below it. */
  pathLength?: number;
  keyUsage: readonly ('digitalSignature' | 'keyCertSign' | 'cRLSign')[];
  extendedKeyUsage?: readonly ('clientAuth' | 'serverAuth')[];
  names?: readonly SubjectName[];
}

/**
 * Signs exactly what it is told, policy or not: `issueCertificate` and `createAuthority` hold the rules and are what
 * programs call. The signature is made by the platform (SHA-256; SHA-384 with a P-384 key; Ed25519).
 */
export async function signCertificate(request: CertificateRequest): Promise<X509Certificate> {
  const x509 = await loadX509();
  const publicKey = new x509.PublicKey(request.publicKey.export({type: 'spki', format: 'der'}));
  const issuer = request.issuer && new x509.X509Certificate(request.issuer.certificate.raw);
  const subject = new x509.Name(request.subject.map(attribute));
  // An issuer's own key id is repeated as it stands; chain building compares the two.
  const issuerKeyId = issuer?.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  const authorityKey = issuer ? issuer.publicKey : publicKey;
  const ca = request.pathLength !== undefined;
  const keyUsage = request.keyUsage.reduce((flags, usage) => flags | x509.KeyUsageFlags[usage], 0);
  const extensions: Extension[] = [
    new x509.BasicConstraintsExtension(ca, request.pathLength, true),
    new x509.KeyUsagesExtension(keyUsage, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
    issuerKeyId === undefined
      ? await x509.AuthorityKeyIdentifierExtension.create(authorityKey)
      : new x509.AuthorityKeyIdentifierExtension(issuerKeyId),
  ];
  if (request.extendedKeyUsage !== undefined) {
    const usages = request.extendedKeyUsage.map((usage) => x509.ExtendedKeyUsage[usage]);
    extensions.push(new x509.ExtendedKeyUsageExtension(usages));
  }
  if (request.names !== undefined) {
    const names = request.names.map(({type, value}) => ({type: type === 'uri' ? x509.URL : type, value}));
    extensions.push(new x509.SubjectAlternativeNameExtension(names));
  }
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: request.serial ?? randomSerial(),
    subject,
    issuer: issuer ? issuer.subjectName : subject,
    notBefore: wholeSecond(request.notBefore),
    notAfter: wholeSecond(request.notAfter),
    publicKey,
    signingKey: await webKey(request.signingKey),
    signingAlgorithm: signingAlgorithm(request.signingKey),
    extensions,
  });
  return new X509Certificate(Buffer.from(certificate.rawData));
}

/** 126 random bits: positive and without a leading zero byte, whoever reads it. */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** UTF8String for everything: other string types are chosen by parsing, and a leading # would be read as hex. */
function attribute(part: NamePart): Record<string, {utf8String: string}[]> {
  return Object.fromEntries(Object.entries(part).map(([type, value]) => [type, [{utf8String: value}]]));
}

/** Certificates know no fractions of a second. */
function wholeSecond(date: Date): Date {
  return new Date(Math.floor(date.getTime() / 1000) * 1000);
}
