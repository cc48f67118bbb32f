import {DerCursor, DerError, serialOf, Tag, timeOf} from './der.js';

/** What is read from a certificate's own bytes. */
export interface CertificateFields {
  serial: string;
  /** The issuer's name, byte for byte: equal keys mean the same issuer. */
  issuerKey: string;
  subjectKey: string;
  /** UTC milliseconds. */
  notBefore: number;
  notAfter: number;
  /** Each common name of the subject that is readable text. */
  commonNames: string[];
  /** How many common names there are, readable or not. */
  commonNameCount: number;
  dnsNames: string[];
  uris: string[];
  ca: boolean;
  /** Whether the extended key usage names TLS client authentication. */
  clientAuth: boolean;
  /** Whether there is no extended key usage, or it names TLS server authentication. */
  serverAuth: boolean;
}

/**
 * Reads a certificate's names, dates and usages from its DER. The platform's `subject` and `subjectAltName` are
 * texts that have to be parsed again, and parsing them is where one name can become two; the bytes are exact.
 * DerError when anything is not as RFC 5280 has it. It verifies nothing: that is OpenSSL's work.
 */
export function readCertificate(der: Buffer): CertificateFields {
  const outer = new DerCursor(der);
  const certificate = outer.expect(Tag.sequence).enter();
  outer.finish();
  const tbs = certificate.expect(Tag.sequence).enter();
  if (tbs.peek() === 0xa0) tbs.next();
  const serial = serialOf(tbs.expect(Tag.integer));
  // The signature algorithm stands between the serial number and the issuer.
  tbs.expect(Tag.sequence);
  const fields: CertificateFields = {
    serial,
    issuerKey: tbs.expect(Tag.sequence).key,
    subjectKey: '',
    notBefore: 0,
    notAfter: 0,
    commonNames: [],
    commonNameCount: 0,
    dnsNames: [],
    uris: [],
    ca: false,
    clientAuth: false,
    serverAuth: true,
  };
  const validity = tbs.expect(Tag.sequence).enter();
  validity.next();
  fields.notBefore = timeOf(validity);
  validity.next();
  fields.notAfter = timeOf(validity);
  validity.finish();
  fields.subjectKey = tbs.expect(Tag.sequence).key;
  readSubject(tbs.enter(), fields);
  tbs.expect(Tag.sequence);
  while (tbs.more) if (tbs.next() === 0xa3) readExtensions(tbs.enter(), fields);
  return fields;
}

function readSubject(name: DerCursor, fields: CertificateFields): void {
  while (name.more) {
    const set = name.expect(Tag.set).enter();
    while (set.more) {
      const attribute = set.expect(Tag.sequence).enter();
      attribute.expect(Tag.oid);
      // 2.5.4.3, commonName
      if (!isOid(attribute, 0x55, 0x04, 0x03)) continue;
      attribute.next();
      attribute.finish();
      fields.commonNameCount++;
      const text = textOf(attribute);
      if (text !== undefined) fields.commonNames.push(text);
    }
  }
}

function readExtensions(wrapper: DerCursor, fields: CertificateFields): void {
  const list = wrapper.expect(Tag.sequence).enter();
  let seen = 0;
  while (list.more) {
    const extension = list.expect(Tag.sequence).enter();
    extension.expect(Tag.oid);
    const {bytes, valueStart: at, end} = extension;
    // 2.5.29.x: one byte tells them apart
    if (end - at !== 3 || bytes[at] !== 0x55 || bytes[at + 1] !== 0x1d) continue;
    const id = bytes[at + 2] as number;
    const bit = id === 0x11 ? 1 : id === 0x13 ? 2 : id === 0x25 ? 4 : 0;
    if (bit === 0) continue;
    if ((seen & bit) !== 0) throw new DerError('an extension appears twice');
    seen |= bit;
    if (extension.peek() === Tag.boolean) extension.next();
    const value = extension.expect(Tag.octetString).enter();
    extension.finish();
    const content = value.expect(Tag.sequence).enter();
    value.finish();
    if (bit === 1) readAlternativeNames(content, fields);
    else if (bit === 2) fields.ca = content.peek() === Tag.boolean && content.next() !== -1 && isTrue(content);
    else readUsages(content, fields);
  }
}

function readAlternativeNames(names: DerCursor, fields: CertificateFields): void {
  while (names.more) {
    const tag = names.next();
    if (tag !== 0x82 && tag !== 0x86) continue;
    const text = printable(names.bytes, names.valueStart, names.end);
    if (text !== undefined) (tag === 0x82 ? fields.dnsNames : fields.uris).push(text);
  }
}

/** 1.3.6.1.5.5.7.3.1 is serverAuth, .2 clientAuth. "Any usage" counts as neither, as OpenSSL has it. */
function readUsages(usages: DerCursor, fields: CertificateFields): void {
  fields.serverAuth = false;
  while (usages.more) {
    usages.expect(Tag.oid);
    if (usages.bytes.toString('latin1', usages.valueStart, usages.end - 1) !== '+\x06\x01\x05\x05\x07\x03') continue;
    const last = usages.bytes[usages.end - 1];
    if (last === 1) fields.serverAuth = true;
    else if (last === 2) fields.clientAuth = true;
  }
}

function isOid(element: DerCursor, a: number, b: number, c: number): boolean {
  const {bytes, valueStart: at, end} = element;
  return end - at === 3 && bytes[at] === a && bytes[at + 1] === b && bytes[at + 2] === c;
}

function isTrue(element: DerCursor): boolean {
  return element.end - element.valueStart === 1 && element.bytes[element.valueStart] !== 0;
}

/** A name that can be compared and printed: valid text without control characters; undefined otherwise. */
function textOf(element: DerCursor): string | undefined {
  const {bytes, tag, valueStart, end} = element;
  if (tag !== Tag.utf8String && tag !== Tag.printableString && tag !== Tag.ia5String) return undefined;
  const plain = printable(bytes, valueStart, end);
  if (plain !== undefined || tag !== Tag.utf8String) return plain;
  const text = bytes.toString('utf8', valueStart, end);
  // U+FFFD stands for bytes that are no text: two broken names would become equal.
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\uFFFD]/u.test(text) || text === '' ? undefined : text;
}

function printable(bytes: Buffer, from: number, to: number): string | undefined {
  if (from === to) return undefined;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e) return undefined;
  }
  return bytes.toString('latin1', from, to);
}
