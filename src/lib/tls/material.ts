import {type KeyObject, X509Certificate} from 'node:crypto';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {type CertificateFields, readCertificate} from './certificate.js';
import {dayOf} from './expiry.js';
import {MAX_PEM_BYTES, readPrivateFile, readTextFile} from './files.js';
import {readPrivateKey} from './keys.js';
import {isPemText, pemBlocks} from './pem.js';

/** A configured piece of PEM: where it came from and what it says. */
export interface Material {
  text: string;
  /** The configuration key, and the file if it is one: what an error names. */
  source: string;
  file: string | undefined;
}

export interface LoadedCertificate {
  certificate: X509Certificate;
  fields: CertificateFields;
  pem: string;
}

/** Something a process runs on that ends one day. */
export interface WatchedCertificate {
  /** The file, or the configuration key when the PEM text itself is configured. */
  file: string;
  subject: string;
  /** UTC milliseconds. */
  notAfter: number;
}

/**
 * Reads what a configuration key points to: a path, or the PEM text itself. A file that holds a secret must be closed
 * to other users. Errors: TLS_FILE_UNREADABLE, KEY_PERMISSIONS, FILE_TOO_LARGE.
 */
export async function loadMaterial(
  value: string,
  configKey: string,
  options: {secret?: boolean; maxBytes?: number} = {},
): Promise<Material> {
  if (isPemText(value)) return {text: value, source: configKey, file: undefined};
  try {
    const text = options.secret
      ? await readPrivateFile(value)
      : await readTextFile(value, options.maxBytes ?? MAX_PEM_BYTES);
    return {text, source: `${configKey} (${value})`, file: value};
  } catch (error) {
    if (!(error instanceof PaynetError)) throw error;
    const code = codeOf(error) === 'FILE_UNREADABLE' ? 'TLS_FILE_UNREADABLE' : error.code;
    throw new PaynetError(code, `${configKey}: ${messageOf(error)}`, {
      cause: error,
      hint: error.hint ?? 'Check the path and that this user may read the file.',
    });
  }
}

/**
 * Every certificate of the material, in order. Other blocks are refused with `code`: Node takes garbage for "no
 * authority" without a word, and a private key among authorities is a mistake somebody should hear of.
 */
export function readCertificates({text, source}: Material, code: string): LoadedCertificate[] {
  const blocks = pemBlocks(text, source);
  const other = blocks.find(({label}) => label !== 'CERTIFICATE');
  if (other !== undefined) throw new PaynetError(code, `${source} must hold certificates only, not a ${other.label}.`);
  if (blocks.length === 0) {
    throw new PaynetError(code, `${source} holds no certificate.`, {
      hint: 'PEM is needed: openssl x509 -inform DER -in FILE -out FILE.pem',
    });
  }
  return blocks.map(({der, pem}, index) => {
    try {
      return {certificate: new X509Certificate(der), fields: readCertificate(der), pem};
    } catch (cause) {
      throw new PaynetError(code, `${source}: certificate ${index + 1} is damaged.`, {cause});
    }
  });
}

/**
 * A side's own key and certificate chain, fitting and in force at `now` (UTC milliseconds).
 * Errors: TLS_CERT_INVALID, TLS_KEY_MISMATCH, TLS_CERT_EXPIRED, KEY_INVALID, KEY_ENCRYPTED.
 */
export function readOwnChain(cert: Material, key: Material, now: number): {chain: LoadedCertificate[]; key: KeyObject} {
  const chain = readCertificates(cert, 'TLS_CERT_INVALID');
  const privateKey = readPrivateKey(key.text, key.source);
  const own = chain[0];
  if (own === undefined || !own.certificate.checkPrivateKey(privateKey)) {
    const misplaced = chain.some(({certificate}) => certificate.checkPrivateKey(privateKey));
    throw new PaynetError('TLS_KEY_MISMATCH', `${key.source} is not the key of ${cert.source}.`, {
      hint: misplaced
        ? "The key's own certificate has to be the first in the file, before its authorities."
        : 'Both have to come from the same `paynetctl tls gencert`, or from the same request.',
    });
  }
  const ended = chain.find(({fields}) => now > fields.notAfter);
  if (ended !== undefined) {
    throw new PaynetError('TLS_CERT_EXPIRED', `${cert.source} expired on ${dayOf(ended.fields.notAfter)}.`, {
      hint: 'Issue a new one, for example with `paynetctl tls gencert`.',
    });
  }
  return {chain, key: privateKey};
}

/**
 * The authorities of a bundle. Errors: TLS_CA_INVALID when there is anything else in it, or when all of them have
 * expired at `now` (UTC milliseconds).
 */
export function readAuthorities(material: Material, now: number): LoadedCertificate[] {
  const authorities = readCertificates(material, 'TLS_CA_INVALID');
  const leaf = authorities.find(({certificate}) => !certificate.ca);
  if (leaf !== undefined) {
    const name = sayCertificate(leaf.certificate);
    throw new PaynetError('TLS_CA_INVALID', `${material.source}: ${name} is not an authority's certificate.`, {
      hint: 'Give the ca.crt of the authority that issued the certificates of the other side.',
    });
  }
  const last = Math.max(...authorities.map(({fields}) => fields.notAfter));
  if (now > last) {
    throw new PaynetError('TLS_CA_INVALID', `${material.source}: the authority expired on ${dayOf(last)}.`, {
      hint: 'A new authority is needed, and new certificates from it.',
    });
  }
  return authorities;
}

/** What is to be watched for expiry. */
export function watched(material: Material, certificates: readonly LoadedCertificate[]): WatchedCertificate[] {
  return certificates.map(({certificate, fields}) => ({
    file: material.file ?? material.source,
    subject: sayCertificate(certificate),
    notAfter: fields.notAfter,
  }));
}

/** A certificate's subject on one line; OpenSSL has escaped what could break it. */
export function sayCertificate(certificate: X509Certificate): string {
  return certificate.subject?.replaceAll('\n', ', ') ?? 'a certificate without a subject';
}
