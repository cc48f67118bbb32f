import {UsageError} from '../errors.js';
import {type Authority, BACKDATE_MS} from './authority.js';
import {generateKeys, type KeyType, privateKeyPem} from './keys.js';
import {checkedCn, nameOfCn, parseSan, type SubjectName, sayName} from './names.js';
import {signCertificate} from './sign.js';

export type CertificateUsage = 'device' | 'server';

export interface IssueOptions {
  cn: string;
  usage: CertificateUsage;
  /** Further names, as `parseSan` reads them. */
  sans?: readonly string[];
  keyType?: KeyType;
  /** 1 to `MAX_DAYS`; 365 unless told. The authority's own end comes first. */
  days?: number;
  /** Five minutes ago unless told; the authority's own beginning comes first. */
  notBefore?: Date;
}

export interface IssuedCertificate {
  certificatePem: string;
  privateKeyPem: string;
  /** Upper-case hex. */
  serial: string;
  notBefore: Date;
  notAfter: Date;
  /** What the certificate is good for, as people write it: `DNS:device001`. */
  names: string[];
  /** Whether the authority's end cut the validity short. */
  shortened: boolean;
}

/** Devices are hard to reach: two years. Clients refuse server certificates of more than 398 days. */
export const MAX_DAYS: Readonly<Record<CertificateUsage, number>> = {device: 730, server: 398};
export const DEFAULT_DAYS = 365;
const DAY_MS = 86_400_000;

/** What was asked for, checked and completed. */
export interface CertificatePlan {
  cn: string;
  usage: CertificateUsage;
  keyType: KeyType;
  days: number;
  names: SubjectName[];
}

/** Checks a request before anything is made or written. UsageError for a name or a number that is not allowed. */
export function planCertificate(options: IssueOptions): CertificatePlan {
  const {usage, keyType = 'p256', days = DEFAULT_DAYS} = options;
  const cn = checkedCn(options.cn);
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS[usage]) {
    throw new UsageError(`A ${usage} certificate cannot be valid for ${days} days.`, {
      hint: `Use 1 to ${MAX_DAYS[usage]}.`,
    });
  }
  return {cn, usage, keyType, days, names: namesFor(cn, usage, options.sans ?? [])};
}

/**
 * Makes a key and a certificate for a device (TLS client) or a server, by the rules of this toolkit: one usage, the
 * common name repeated among the alternative names, never valid for longer than its authority.
 * UsageError as `planCertificate` has it.
 */
export async function issueCertificate(authority: Authority, options: IssueOptions): Promise<IssuedCertificate> {
  const {cn, usage, keyType, days, names} = planCertificate(options);
  const earliest = Date.parse(authority.certificate.validFrom);
  const latest = Date.parse(authority.certificate.validTo);
  const now = Date.now();
  const wanted = (options.notBefore?.getTime() ?? now) + days * DAY_MS;
  const notBefore = new Date(Math.max(options.notBefore?.getTime() ?? now - BACKDATE_MS, earliest));
  const notAfter = new Date(Math.min(wanted, latest));
  if (notBefore >= notAfter) throw new UsageError('The certificate would end before it begins.');
  const keys = await generateKeys(keyType);
  const certificate = await signCertificate({
    subject: [{CN: cn}],
    publicKey: keys.publicKey,
    issuer: authority,
    signingKey: authority.key,
    notBefore,
    notAfter,
    // With TLS 1.3 and ECDHE a key only ever signs, RSA too.
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [usage === 'device' ? 'clientAuth' : 'serverAuth'],
    names,
  });
  return {
    certificatePem: certificate.toString(),
    privateKeyPem: privateKeyPem(keys.privateKey),
    serial: certificate.serialNumber,
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    names: names.map(sayName),
    shortened: wanted > latest,
  };
}

/** All alternative names, each once; a server on localhost is reached by its addresses as well. */
function namesFor(cn: string, usage: CertificateUsage, sans: readonly string[]): SubjectName[] {
  const names = [nameOfCn(cn, usage), ...sans.map(parseSan)];
  if (usage === 'server' && names.some(({type, value}) => type === 'dns' && value === 'localhost')) {
    names.push({type: 'ip', value: '127.0.0.1'}, {type: 'ip', value: '::1'});
  }
  const wildcard = usage === 'device' && names.find(({value}) => value.startsWith('*.'));
  if (wildcard) {
    throw new UsageError(`A device cannot have the name ${wildcard.value}.`, {
      hint: 'Wildcards are for servers: add --server.',
    });
  }
  return [...new Map(names.map((name) => [sayName(name), name])).values()];
}
