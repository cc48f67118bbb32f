import {X509Certificate} from 'node:crypto';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import fc from 'fast-check';
import {beforeAll, describe, expect, it} from 'vitest';
import {readCertificate} from '../../src/lib/tls/certificate.js';
import {DerError} from '../../src/lib/tls/der.js';
import {
  type Authority,
  type CertificateRequest,
  createAuthority,
  type IdentityFault,
  identityFault,
  identityOf,
  issueCertificate,
  KEY_TYPES,
  ownsName,
  type PeerIdentity,
} from '../../src/lib/tls/index.js';
import {DAY, forge, openssl, tempFolder} from './support.js';

let authority: Authority;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'paynet-tls-'));
  authority = await createAuthority(join(folder, 'ca'));
  return () => rm(folder, {recursive: true});
});

async function identify(request: Partial<CertificateRequest>): Promise<PeerIdentity> {
  const identity = identityOf((await forge(authority, request)).certificate);
  if (identity === undefined) throw new Error('not readable');
  return identity;
}

describe('identity', () => {
  it.each(KEY_TYPES)('agrees with what Node reads from a %s certificate', async (keyType) => {
    const issued = await issueCertificate(authority, {cn: 'device001', usage: 'device', sans: ['box.local'], keyType});
    const certificate = new X509Certificate(issued.certificatePem);
    expect(identityOf(certificate)).toEqual({
      cn: 'device001',
      names: ['device001', 'box.local'],
      serial: certificate.serialNumber,
      issuerKey: identityOf(certificate)?.issuerKey,
      notBefore: Date.parse(certificate.validFrom),
      notAfter: Date.parse(certificate.validTo),
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      clientAuth: true,
      ca: false,
    });
  });

  it('reads the device id out of a URI name', async () => {
    const issued = await issueCertificate(authority, {cn: 'box_7', usage: 'device'});
    const identity = identityOf(new X509Certificate(issued.certificatePem));
    expect(identity?.names).toEqual(['box_7']);
    const other = await identify({
      names: ['urn:paynet:device:a/b', 'urn:paynet:device:', 'https://a', 'urn:paynet:device:ok'].map((value) => ({
        type: 'uri',
        value,
      })),
    });
    expect(other.names).toEqual(['device001', 'ok']);
  });

  it('tells issuers apart', async () => {
    const [one, same] = [await identify({}), await identify({})];
    const other = await createAuthority(join(await tempFolder(), 'other'));
    const foreign = identityOf((await forge(other)).certificate);
    expect(one.issuerKey).toBe(same.issuerKey);
    expect(one.issuerKey).not.toBe(foreign?.issuerKey);
  });

  const subjects: [string, Record<string, string>[], string, string[]][] = [
    ['a newline', [{CN: 'dev\nCN=admin'}], '', []],
    ['a comma', [{CN: 'dev, CN=admin'}], 'dev, CN=admin', ['dev, CN=admin']],
    ['an escaped comma', [{CN: 'dev\\, CN=admin'}], 'dev\\, CN=admin', ['dev\\, CN=admin']],
    ['a NUL', [{CN: 'admin\0dev'}], '', []],
    ['a leading #', [{CN: '#0c0561646d696e'}], '#0c0561646d696e', ['#0c0561646d696e']],
    ['two common names', [{CN: 'dev'}, {CN: 'admin'}], '', []],
    ['a common name that another attribute imitates', [{O: 'x\nCN=admin'}, {CN: 'dev'}], 'dev', ['dev']],
    ['a text direction mark', [{CN: 'dev\u202Enimda'}], '', []],
    ['Chinese', [{CN: '设备1'}], '设备1', ['设备1']],
    ['no common name', [{O: 'x'}], '', []],
    ['an empty subject', [], '', []],
  ];
  it.each(subjects)('of a subject with %s', async (_, subject, cn, names) => {
    const identity = await identify({subject, names: [{type: 'dns', value: 'san'}]});
    expect(identity.cn).toBe(cn);
    expect(identity.names).toEqual([...names, 'san']);
    expect(ownsName(identity, 'admin')).toBe(false);
  });

  it('takes an alternative name as one name, whatever is in it', async () => {
    const values = ['a, DNS:admin', 'b", DNS:admin', 'c\nDNS:admin', 'd\0admin', 'urn:paynet:device:admin'];
    const identity = await identify({names: values.map((value) => ({type: 'dns', value}))});
    expect(identity.names).toEqual(['device001', 'a, DNS:admin', 'b", DNS:admin', 'urn:paynet:device:admin']);
    expect(ownsName(identity, 'admin')).toBe(false);
  });

  it('gives no name to text that is not UTF-8, nor to two values in one set', async () => {
    const folder = await tempFolder();
    const [key, csr, crt] = [join(folder, 'k'), join(folder, 'csr'), join(folder, 'crt')];
    const make = (...subject: string[]): X509Certificate => {
      openssl('req', '-new', '-newkey', 'ed25519', '-nodes', '-keyout', key, '-out', csr, ...subject);
      const ca = ['-CA', authority.certificateFile, '-CAkey', authority.keyFile, '-CAcreateserial'];
      openssl('x509', '-req', '-in', csr, ...ca, '-CAserial', join(folder, 'srl'), '-out', crt);
      return new X509Certificate(openssl('x509', '-in', crt));
    };
    expect(identityOf(make('-subj', '/CN=dev+CN=admin'))?.names).toEqual([]);
    expect(identityOf(make('-subj', '/O=x+CN=dev'))?.names).toEqual(['dev']);

    const der = (await forge(authority, {subject: [{CN: 'dév'}], names: []})).certificate.raw;
    const at = der.indexOf(Buffer.from('dév'));
    der[at + 1] = 0xff;
    expect(readCertificate(der).commonNames).toEqual([]);
    expect(readCertificate(der).commonNameCount).toBe(1);
  });

  it('compares ids exactly', async () => {
    const identity = await identify({});
    expect(ownsName(identity, 'device001')).toBe(true);
    for (const id of ['', 'Device001', 'device001 ', 'device00', 'device001\0', '\uFFFD']) {
      expect(ownsName(identity, id)).toBe(false);
    }
    expect(ownsName({...identity, names: ['\uFFFD']}, '\uFFFD')).toBe(false);
  });
});

describe('identityFault', () => {
  const now = Date.UTC(2026, 5, 1);
  const good: PeerIdentity = {
    cn: 'd',
    names: ['d'],
    serial: '0A',
    issuerKey: 'i',
    notBefore: now - DAY,
    notAfter: now + DAY,
    fingerprint: '',
    clientAuth: true,
    ca: false,
  };
  const lists = (revoked: boolean, nextUpdate = now + DAY) => ({has: () => revoked, nextUpdate});
  const table: [string, Partial<PeerIdentity>, ReturnType<typeof lists> | undefined, IdentityFault | undefined][] = [
    ['is good', {}, undefined, undefined],
    ['is good and not revoked', {}, lists(false), undefined],
    ['is good to its last millisecond', {notAfter: now, notBefore: now}, undefined, undefined],
    ['has expired', {notAfter: now - 1}, undefined, 'certificate_expired'],
    ['is not valid yet', {notBefore: now + 1}, undefined, 'certificate_not_yet_valid'],
    ['has no usage of a client', {clientAuth: false}, undefined, 'wrong_usage'],
    ['is an authority', {ca: true}, undefined, 'is_ca'],
    ['is revoked', {}, lists(true), 'certificate_revoked'],
    ['is revoked by a list that ran out', {}, lists(true, now - 1), 'certificate_revoked'],
    ['has a list that ran out', {}, lists(false, now - 1), 'crl_expired'],
  ];
  it.each(table)('one that %s', (_, change, revocation, fault) => {
    expect(identityFault({...good, ...change}, now, revocation)).toBe(fault);
  });

  it('sees usages as they stand in the certificate', async () => {
    const fault = async (request: Partial<CertificateRequest>) =>
      identityFault(await identify(request), Date.now(), undefined);
    expect(await fault({})).toBeUndefined();
    expect(await fault({extendedKeyUsage: ['serverAuth']})).toBe('wrong_usage');
    expect(await fault({extendedKeyUsage: ['serverAuth', 'clientAuth']})).toBeUndefined();
    expect(await fault({extendedKeyUsage: undefined})).toBe('wrong_usage');
    expect(await fault({pathLength: 0, keyUsage: ['keyCertSign']})).toBe('is_ca');
  });
});

describe('damaged certificates', () => {
  it('are read or refused, never anything else', async () => {
    const {certificate} = await forge(authority);
    const good = certificate.raw;
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), {minLength: 1, maxLength: 4});
    fc.assert(
      fc.property(damage, fc.nat(good.length), (changes, cut) => {
        const der = Buffer.from(cut % 5 === 0 ? good.subarray(0, cut) : good);
        for (const [at, byte] of changes) if (at < der.length) der[at] = byte;
        try {
          readCertificate(der);
        } catch (error) {
          if (!(error instanceof DerError)) throw error;
        }
      }),
      {numRuns: 3000},
    );
  });

  it('refuses an extension that appears twice', async () => {
    const {certificate} = await forge(authority, {names: [{type: 'dns', value: 'd'}]});
    const der = Buffer.from(certificate.raw);
    // Turns the key identifier (2.5.29.14) into a second alternative name.
    const at = der.indexOf(Buffer.from('0603551d0e', 'hex'));
    der[at + 4] = 0x11;
    expect(() => readCertificate(der)).toThrow(DerError);
  });
});
