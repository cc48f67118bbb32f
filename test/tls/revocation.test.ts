import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {
  type Authority,
  createAuthority,
  identityOf,
  openAuthority,
  RevocationList,
  readCrls,
} from '../../src/lib/tls/index.js';
import {DAY, forge, makeCrl, newAuthority, openssl, tempFolder} from './support.js';

const asText = (text: string) => ({text, source: 'crl.pem'});
const fromPems = (texts: string[], authorities: Authority[], now = Date.now()) =>
  RevocationList.fromPems(
    texts.map(asText),
    authorities.map(({certificate}) => certificate),
    now,
  );

describe('reading a revocation list', () => {
  it('agrees with openssl', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const serials = ['01', '7F', '80', 'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF', '00AB'];
    const pem = await makeCrl(folder, authority, serials);
    const [crl] = readCrls(pem, 'crl.pem');
    await writeFile(join(folder, 'x.crl'), pem);
    const said = openssl('crl', '-in', join(folder, 'x.crl'), '-noout', '-nextupdate', '-lastupdate', '-crlnumber');
    expect(said).toContain('crlNumber=0x1000');
    expect(crl?.number).toBe('1000');
    expect(crl?.thisUpdate).toBe(Date.parse(/lastUpdate=(.*)/.exec(said)?.[1] ?? ''));
    expect(crl?.nextUpdate).toBe(Date.parse(/nextUpdate=(.*)/.exec(said)?.[1] ?? ''));
    expect(crl?.revoked).toEqual(new Set(['01', '7F', '80', 'F'.repeat(40), 'AB']));
    expect(crl?.signedBy(authority.certificate.publicKey)).toBe(true);
  });

  it('reads every list of one file', async () => {
    const folder = await tempFolder();
    const [a, b] = [await newAuthority(folder, 'a'), await newAuthority(folder, 'b')];
    const both = `# comment\n${await makeCrl(folder, a, ['0A'])}text between\n${await makeCrl(folder, b, ['0B', '0C'])}`;
    const crls = readCrls(both, 'both.pem');
    expect(crls.map((crl) => [...crl.revoked])).toEqual([['0A'], ['0B', '0C']]);
    expect(fromPems([both], [a, b]).size).toBe(3);
  });

  it('reads an empty list, and one with reasons', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    expect(readCrls(await makeCrl(folder, authority, []), 'x')[0]?.revoked.size).toBe(0);
    const {certificate} = await forge(authority);
    const x509 = await import('@peculiar/x509');
    const pkcs8 = authority.key.export({type: 'pkcs8', format: 'der'});
    const algorithm = {name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256'};
    const made = await x509.X509CrlGenerator.create({
      issuer: new x509.X509Certificate(authority.certificate.raw).subjectName,
      nextUpdate: new Date(Date.now() + DAY),
      signingAlgorithm: algorithm,
      signingKey: await crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
      entries: [{serialNumber: certificate.serialNumber, reason: x509.X509CrlReason.keyCompromise}],
    });
    // The library labels its lists in a way that OpenSSL does not read.
    const list = fromPems([made.toString('pem').replaceAll(' CRL-', ' X509 CRL-')], [authority]);
    expect(list.has(identityOf(certificate) ?? {issuerKey: '', serial: ''})).toBe(true);
  });

  it('reads 100,000 entries', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const serials = Array.from({length: 100_000}, (_, i) =>
      (0x7000_0000_0000_0000n + BigInt(i)).toString(16).toUpperCase(),
    );
    const list = fromPems([await makeCrl(folder, authority, serials)], [authority]);
    expect(list.size).toBe(100_000);
    const issuerKey = list.crls[0]?.issuerKey ?? '';
    expect(list.has({issuerKey, serial: '700000000001869F'})).toBe(true);
    expect(list.has({issuerKey, serial: '70000000000186A0'})).toBe(false);
    expect(list.has({issuerKey: 'other', serial: '700000000001869F'})).toBe(false);
  });

  it('survives any damage: read, or refused by name', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const pem = await makeCrl(folder, authority, ['01', '02']);
    const der = Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(der);
        damaged[at] = byte;
        const text = `-----BEGIN X509 CRL-----\n${damaged.toString('base64')}\n-----END X509 CRL-----\n`;
        try {
          const list = fromPems([text], [authority]);
          // Whatever is still believed must be what was signed.
          expect(damaged[at]).toBe(der[at]);
          expect(list.size).toBe(2);
        } catch (error) {
          if (!(error instanceof PaynetError)) throw error;
          expect(error.code).toMatch(/^CRL_/);
        }
      }),
      {numRuns: 1000},
    );
  });
});

describe('refusing a revocation list', () => {
  it('that ran out, or is not in force yet', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const pem = await makeCrl(folder, authority, []);
    const now = Date.now();
    const code = (at: number) => () => fromPems([pem], [authority], at);
    expect(code(now)).not.toThrow();
    expect(code(now + 8 * DAY)).toThrow(expect.objectContaining({code: 'CRL_EXPIRED'}));
    expect(code(now - DAY)).toThrow(expect.objectContaining({code: 'CRL_NOT_YET_VALID'}));
    expect(fromPems([pem], [authority]).nextUpdate).toBeGreaterThan(now + 6 * DAY);
  });

  it('of an unknown authority, and of an authority that only has the name', async () => {
    const folder = await tempFolder();
    const [mine, other] = [await newAuthority(folder, 'a'), await newAuthority(folder, 'b')];
    const foreign = await makeCrl(folder, other, []);
    expect(() => fromPems([foreign], [mine])).toThrow(expect.objectContaining({code: 'CRL_UNKNOWN_ISSUER'}));

    const one = await createAuthority(join(folder, 'one'), {name: 'Twin'});
    const two = await createAuthority(join(folder, 'two'), {name: 'Twin'});
    const forged = await makeCrl(folder, two, []);
    expect(() => fromPems([forged], [one])).toThrow(expect.objectContaining({code: 'CRL_INVALID'}));
    expect(fromPems([await makeCrl(folder, one, [])], [one]).size).toBe(0);
  });

  it('when an authority has none', async () => {
    const folder = await tempFolder();
    const [a, b] = [await newAuthority(folder, 'a'), await newAuthority(folder, 'b')];
    const pem = await makeCrl(folder, a, []);
    expect(() => fromPems([pem], [a, b])).toThrow(expect.objectContaining({code: 'CRL_MISSING'}));
  });

  it('that is partial', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const config = `[ca]\ndefault_ca=d\n[d]\ndatabase=${folder}/i\ncrlnumber=${folder}/n\ndefault_md=sha256\ncrl_extensions=e\n[e]\nissuingDistributionPoint=critical,@p\n[p]\nonlyuser=TRUE\n`;
    await writeFile(join(folder, 'i'), '');
    await writeFile(join(folder, 'n'), '01\n');
    await writeFile(join(folder, 'c'), config);
    const from = ['-cert', authority.certificateFile, '-keyfile', authority.keyFile];
    const pem = openssl('ca', '-gencrl', '-config', join(folder, 'c'), '-crldays', '7', ...from);
    expect(() => readCrls(pem, 'x')).toThrow(expect.objectContaining({code: 'CRL_INVALID'}));
  });

  it.each([
    ['nothing', '', 'CRL_EMPTY'],
    ['DER', '0\x82\x01', 'CRL_EMPTY'],
    ['a certificate', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----', 'CRL_INVALID'],
    ['a cut file', '-----BEGIN X509 CRL-----\nAAAA\n', 'PEM_INVALID'],
    ['strange characters', '-----BEGIN X509 CRL-----\nAA!A\n-----END X509 CRL-----', 'PEM_INVALID'],
    ['garbage', '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----', 'CRL_INVALID'],
  ])('that is %s', (_, text, code) => {
    expect(() => readCrls(text, 'x')).toThrow(expect.objectContaining({code}));
  });

  it('signed with SHA-1', async () => {
    const folder = await tempFolder();
    await newAuthority(folder);
    const authority = await openAuthority(join(folder, 'ca'));
    const pem = await makeCrl(folder, authority, [], ['-crldays', '7', '-md', 'sha1']);
    expect(() => readCrls(pem, 'x')).toThrow(expect.objectContaining({code: 'CRL_INVALID'}));
  });
});
