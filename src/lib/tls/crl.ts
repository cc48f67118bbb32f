import {type KeyObject, verify} from 'node:crypto';
import {messageOf, PaynetError} from '../errors.js';
import {DerCursor, DerError, serialOf, Tag, timeOf} from './der.js';
import {pemBlocks} from './pem.js';

/** A revocation list of 100,000 entries has 3 MB as DER, 4 MB as PEM. */
export const MAX_CRL_BYTES = 64 * 1024 * 1024;

/** One certificate revocation list. */
export interface Crl {
  /** Where it was read from, for messages. */
  source: string;
  pem: string;
  /** As `PeerIdentity.issuerKey`. */
  issuerKey: string;
  /** The number that grows with each list of an issuer, in hex; undefined when the list has none. */
  number: string | undefined;
  /** UTC milliseconds. */
  thisUpdate: number;
  nextUpdate: number;
  /** Serial numbers as `PeerIdentity.serial` has them. */
  revoked: Set<string>;
  /** Whether this key signed the list. */
  signedBy(key: KeyObject): boolean;
}

/**
 * Reads every list of a PEM text (Node and OpenSSL read the first one alone, without a word), strictly and in one
 * pass: 100,000 entries cost some tens of milliseconds. Errors: CRL_INVALID, CRL_EMPTY, PEM_INVALID.
 */
export function readCrls(text: string, source: string): Crl[] {
  const crls: Crl[] = [];
  for (const {label, pem, der} of pemBlocks(text, source)) {
    if (label !== 'X509 CRL') throw invalid(source, `it holds a ${label}`);
    try {
      crls.push(readCrl(der, pem, source));
    } catch (error) {
      throw error instanceof DerError ? invalid(source, messageOf(error), error) : error;
    }
  }
  if (crls.length === 0) {
    throw new PaynetError('CRL_EMPTY', `${source} holds no revocation list.`, {
      hint: 'PEM is needed: openssl crl -inform DER -in FILE -out FILE.pem',
    });
  }
  return crls;
}

function readCrl(der: Buffer, pem: string, source: string): Crl {
  const outer = new DerCursor(der);
  const list = outer.expect(Tag.sequence).enter();
  outer.finish();
  const signed = list.expect(Tag.sequence).element;
  const tbs = list.enter();
  const algorithm = list.expect(Tag.sequence).key;
  const signature = bits(list.expect(Tag.bitString));
  list.finish();

  if (tbs.peek() === Tag.integer) tbs.next();
  if (tbs.expect(Tag.sequence).key !== algorithm) throw new DerError('it names two signature algorithms');
  const issuerKey = tbs.expect(Tag.sequence).key;
  tbs.next();
  const thisUpdate = timeOf(tbs);
  if (tbs.peek() !== Tag.utcTime && tbs.peek() !== Tag.generalizedTime) {
    throw new DerError('it does not say when the next one is due (nextUpdate)');
  }
  tbs.next();
  const nextUpdate = timeOf(tbs);
  const revoked = tbs.peek() === Tag.sequence ? readEntries(tbs.expect(Tag.sequence).enter()) : new Set<string>();
  const number = tbs.peek() === 0xa0 ? readListExtensions(tbs.expect(0xa0).enter()) : undefined;
  tbs.finish();
  const digest = digestFor(algorithm, source);
  return {
    source,
    pem,
    issuerKey,
    number,
    thisUpdate,
    nextUpdate,
    revoked,
    signedBy: (key) =>
      digest.keyTypes.includes(key.asymmetricKeyType ?? '') && verify(digest.hash, signed, key, signature),
  };
}

function readEntries(entries: DerCursor): Set<string> {
  const revoked = new Set<string>();
  while (entries.more) {
    const entry = entries.expect(Tag.sequence).enter();
    revoked.add(serialOf(entry.expect(Tag.integer)));
    // Since when does not matter, and this runs a hundred thousand times.
    entry.next();
    if (entry.more) refuseCritical(entry.expect(Tag.sequence).enter());
    entry.finish();
  }
  return revoked;
}

/**
 * A critical extension that is not understood changes what the list means: an indirect list, for one, speaks about
 * other issuers' certificates.
 */
function refuseCritical(extensions: DerCursor): void {
  while (extensions.more) {
    const extension = extensions.expect(Tag.sequence).enter();
    extension.expect(Tag.oid);
    if (extension.peek() === Tag.boolean && isTrue(extension)) {
      throw new DerError('it is an indirect, partial or delta list, which is not supported');
    }
  }
}

function readListExtensions(wrapper: DerCursor): string | undefined {
  const extensions = wrapper.expect(Tag.sequence).enter();
  refuseCritical(new DerCursor(extensions.bytes, wrapper.valueStart, wrapper.end));
  let number: string | undefined;
  while (extensions.more) {
    const extension = extensions.expect(Tag.sequence).enter();
    // 2.5.29.20, cRLNumber
    if (extension.expect(Tag.oid).value.toString('latin1') !== '\x55\x1d\x14') continue;
    if (extension.peek() === Tag.boolean) extension.next();
    number = serialOf(extension.expect(Tag.octetString).enter().expect(Tag.integer));
  }
  return number;
}

function isTrue(extension: DerCursor): boolean {
  extension.next();
  return extension.value.some((byte) => byte !== 0);
}

/** The bytes of a bit string that has whole bytes. */
function bits(element: DerCursor): Buffer {
  if (element.value[0] !== 0) throw new DerError('its signature is not made of whole bytes');
  return element.value.subarray(1);
}

interface Digest {
  hash: string | null;
  keyTypes: readonly string[];
}

/** By the object identifier's content in hex. SHA-1 is missing on purpose. */
const DIGESTS: Readonly<Record<string, Digest>> = {
  '2a864886f70d01010b': {hash: 'sha256', keyTypes: ['rsa']},
  '2a864886f70d01010c': {hash: 'sha384', keyTypes: ['rsa']},
  '2a864886f70d01010d': {hash: 'sha512', keyTypes: ['rsa']},
  '2a8648ce3d040302': {hash: 'sha256', keyTypes: ['ec']},
  '2a8648ce3d040303': {hash: 'sha384', keyTypes: ['ec']},
  '2a8648ce3d040304': {hash: 'sha512', keyTypes: ['ec']},
  '2b6570': {hash: null, keyTypes: ['ed25519']},
};

function digestFor(algorithm: string, source: string): Digest {
  const oid = new DerCursor(Buffer.from(algorithm, 'latin1')).expect(Tag.sequence).enter().expect(Tag.oid).value;
  const digest = DIGESTS[oid.toString('hex')];
  if (digest === undefined) throw invalid(source, 'it is signed in a way that is not supported');
  return digest;
}

function invalid(source: string, what: string, cause?: unknown): PaynetError {
  return new PaynetError('CRL_INVALID', `${source} is not a usable revocation list: ${what}.`, {
    cause,
    hint: 'Take a complete list of the authority, signed with SHA-256 or better (ECDSA, RSA or Ed25519).',
  });
}
