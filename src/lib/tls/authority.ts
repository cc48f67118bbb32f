import {type KeyObject, randomBytes, X509Certificate} from 'node:crypto';
import {join} from 'node:path';
import {PaynetError, UsageError} from '../errors.js';
import {dayOf} from './expiry.js';
import {exists, makeFolder, readPrivateFile, readTextFile, writeFilesTogether} from './files.js';
import {generateKeys, privateKeyPem, readPrivateKey, signingAlgorithm} from './keys.js';
import {pemBlocks} from './pem.js';
import {signCertificate} from './sign.js';

/** A certificate authority whose key is at hand. */
export interface Authority {
  certificate: X509Certificate;
  certificatePem: string;
  key: KeyObject;
  certificateFile: string;
  keyFile: string;
}

const CERTIFICATE_FILE = 'ca.crt';
const KEY_FILE = 'ca.key';
const DAY_MS = 86_400_000;
/** The clocks of devices are not exact: what was just issued must be valid for them already. */
export const BACKDATE_MS = 300_000;
const DEFAULT_CA_DAYS = 3650;
const MAX_CA_DAYS = 7300;

export interface AuthorityOptions {
  /** The common name; one with a random end unless told, since two authorities of one name confuse verifiers. */
  name?: string;
  /** 1 to 7300; 3650 unless told. */
  days?: number;
}

/**
 * Makes a certificate authority (P-256, SHA-256, no further authority below it) in a folder: `ca.crt` and `ca.key`,
 * the latter with mode 600. An authority that is there is never replaced: FILE_EXISTS.
 */
export async function createAuthority(folder: string, options: AuthorityOptions = {}): Promise<Authority> {
  const days = options.days ?? DEFAULT_CA_DAYS;
  if (!Number.isInteger(days) || days < 1 || days > MAX_CA_DAYS) {
    throw new UsageError(`An authority cannot be valid for ${days} days.`, {hint: `Use 1 to ${MAX_CA_DAYS}.`});
  }
  const name = options.name ?? `paynetctl CA ${randomBytes(4).toString('hex')}`;
  if (name.trim() === '' || name.length > 64 || /\p{Cc}/u.test(name)) {
    throw new UsageError('The name of an authority has 1 to 64 characters, none of them a control character.');
  }
  const {privateKey, publicKey} = await generateKeys('p256');
  const now = Date.now();
  const certificate = await signCertificate({
    subject: [{O: 'paynetctl'}, {CN: name}],
    publicKey,
    signingKey: privateKey,
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + days * DAY_MS),
    pathLength: 0,
    keyUsage: ['keyCertSign', 'cRLSign'],
  });
  const authority = describe(folder, certificate, privateKey);
  await makeFolder(folder, 'private');
  // The certificate comes last: where it is, the key is too.
  await writeFilesTogether(
    [
      {path: authority.keyFile, data: privateKeyPem(privateKey), mode: 0o600},
      {path: authority.certificateFile, data: authority.certificatePem, mode: 0o644},
    ],
    false,
  );
  return authority;
}

/** Whether a folder holds an authority, or at least a part of one. Errors: FILE_UNREADABLE. */
export async function hasAuthority(folder: string): Promise<boolean> {
  return (await exists(join(folder, CERTIFICATE_FILE))) || (await exists(join(folder, KEY_FILE)));
}

/**
 * Opens the authority of a folder, checked so far that what it signs will be believed.
 * Errors: CA_NOT_FOUND, CA_INCOMPLETE, CA_INVALID, CA_KEY_MISMATCH, CA_EXPIRED, KEY_PERMISSIONS, KEY_ENCRYPTED,
 * FILE_UNREADABLE.
 */
export async function openAuthority(folder: string): Promise<Authority> {
  const certificateFile = join(folder, CERTIFICATE_FILE);
  const keyFile = join(folder, KEY_FILE);
  const [hasCertificate, hasKey] = [await exists(certificateFile), await exists(keyFile)];
  if (!hasCertificate && !hasKey) {
    throw new PaynetError('CA_NOT_FOUND', `There is no certificate authority in ${folder}.`, {
      hint: `Expected are ${CERTIFICATE_FILE} and ${KEY_FILE}.`,
    });
  }
  if (!hasCertificate || !hasKey) {
    const [there, missing] = hasKey ? [KEY_FILE, CERTIFICATE_FILE] : [CERTIFICATE_FILE, KEY_FILE];
    throw new PaynetError('CA_INCOMPLETE', `${folder} holds ${there} but no ${missing}.`, {
      hint: 'Put the missing file back, or name another folder for a new authority.',
    });
  }
  const certificate = readAuthorityCertificate(await readTextFile(certificateFile), certificateFile);
  const key = readPrivateKey(await readPrivateFile(keyFile), keyFile);
  if (!certificate.checkPrivateKey(key)) {
    throw new PaynetError('CA_KEY_MISMATCH', `${keyFile} is not the key of ${certificateFile}.`, {
      hint: 'Both files have to come from the same authority.',
    });
  }
  if (signingAlgorithm(key) === undefined) {
    throw new PaynetError('CA_INVALID', `${keyFile} is of a type that cannot sign certificates here.`, {
      hint: 'Use an authority with a P-256, P-384, RSA or Ed25519 key.',
    });
  }
  const now = Date.now();
  if (now > Date.parse(certificate.validTo)) {
    throw new PaynetError('CA_EXPIRED', `The authority ${certificateFile} expired on ${dayOf(certificate.validTo)}.`, {
      hint: 'Name another folder for a new authority; every device then needs its certificate.',
    });
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw new PaynetError(
      'CA_INVALID',
      `The authority ${certificateFile} is not valid before ${dayOf(certificate.validFrom)}.`,
      {
        hint: "Check this machine's clock.",
      },
    );
  }
  return describe(folder, certificate, key);
}

function describe(folder: string, certificate: X509Certificate, key: KeyObject): Authority {
  return {
    certificate,
    certificatePem: certificate.toString(),
    key,
    certificateFile: join(folder, CERTIFICATE_FILE),
    keyFile: join(folder, KEY_FILE),
  };
}

function readAuthorityCertificate(text: string, file: string): X509Certificate {
  const block = pemBlocks(text, file).find(({label}) => label === 'CERTIFICATE');
  if (block === undefined) {
    throw new PaynetError('CA_INVALID', `${file} holds no certificate in PEM form.`, {
      hint: 'It has to begin with -----BEGIN CERTIFICATE-----.',
    });
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(block.der);
  } catch (cause) {
    throw new PaynetError('CA_INVALID', `${file} holds a damaged certificate.`, {cause});
  }
  if (!certificate.ca) {
    throw new PaynetError('CA_INVALID', `${file} is not the certificate of an authority.`, {
      hint: 'A device or server certificate cannot sign others.',
    });
  }
  return certificate;
}
