import {createPrivateKey, X509Certificate} from 'node:crypto';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {issueCertificate, KEY_TYPES} from '../../src/lib/tls/index.js';
import {DAY, newAuthority, openssl, tempFolder} from './support.js';

const USAGES = ['device', 'server'] as const;

describe.each(KEY_TYPES)('a %s certificate', (keyType) => {
  it.each(USAGES)('for a %s passes openssl verify -x509_strict for that purpose, and for that alone', async (usage) => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const issued = await issueCertificate(authority, {cn: 'host1.example.com', usage, keyType});
    const file = join(folder, 'x.crt');
    await writeFile(file, issued.certificatePem);
    const [right, wrong] = usage === 'device' ? ['sslclient', 'sslserver'] : ['sslserver', 'sslclient'];
    const check = ['verify', '-x509_strict', '-CAfile', authority.certificateFile];
    expect(openssl(...check, '-purpose', right, file)).toContain('OK');
    expect(() => openssl(...check, '-purpose', wrong, file)).toThrow();

    const certificate = new X509Certificate(issued.certificatePem);
    expect(certificate.checkPrivateKey(createPrivateKey(issued.privateKeyPem))).toBe(true);
    expect(certificate.keyUsage).toEqual([usage === 'device' ? '1.3.6.1.5.5.7.3.2' : '1.3.6.1.5.5.7.3.1']);
    expect(certificate.ca).toBe(false);
    expect(issued.serial).toMatch(/^[4-7][0-9A-F]{31}$/);
    const text = openssl('x509', '-in', file, '-noout', '-text');
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toContain('Authority Key Identifier');
    expect(text).toContain('DNS:host1.example.com');
  });
});

describe('names and dates', () => {
  it('covers localhost by its addresses too, and every further name once', async () => {
    const authority = await newAuthority(await tempFolder());
    const sans = ['IP:127.0.0.1', 'localhost', '*.example.com', '2001:db8::1', '10.0.0.1'];
    const issued = await issueCertificate(authority, {cn: 'localhost', usage: 'server', sans});
    expect(issued.names).toEqual([
      'DNS:localhost',
      'IP:127.0.0.1',
      'DNS:*.example.com',
      'IP:2001:db8::1',
      'IP:10.0.0.1',
      'IP:::1',
    ]);
    const certificate = new X509Certificate(issued.certificatePem);
    expect(certificate.checkIP('2001:db8::1')).toBe('2001:db8::1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.checkHost('a.example.com')).toBe('*.example.com');
  });

  it('names a device that is no host by a URI', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const issued = await issueCertificate(authority, {cn: 'box_7', usage: 'device'});
    expect(new X509Certificate(issued.certificatePem).subjectAltName).toBe('URI:urn:paynet:device:box_7');
    await writeFile(join(folder, 'd.crt'), issued.certificatePem);
    openssl('verify', '-x509_strict', '-CAfile', authority.certificateFile, join(folder, 'd.crt'));
  });

  it('begins five minutes ago and ends after the days asked for', async () => {
    const authority = await newAuthority(await tempFolder());
    const before = Date.now();
    const {notBefore, notAfter, shortened} = await issueCertificate(authority, {cn: 'd', usage: 'device', days: 730});
    expect(before - notBefore.getTime()).toBeLessThanOrEqual(301_000);
    expect(notBefore.getTime()).toBeLessThan(before);
    expect(Math.round((notAfter.getTime() - before) / DAY)).toBe(730);
    expect(shortened).toBe(false);
  });

  it.each([
    [{cn: '../x', usage: 'device'}, 'must not hold'],
    [{cn: 'd', usage: 'device', days: 731}, '731 days'],
    [{cn: 'd', usage: 'device', days: 0}, '0 days'],
    [{cn: 'd', usage: 'server', days: 399}, '399 days'],
    [{cn: 'box_7', usage: 'server'}, 'box_7'],
    [{cn: 'd', usage: 'device', sans: ['*.example.com']}, '*.example.com'],
    [{cn: 'd', usage: 'server', sans: ['a b']}, 'a b'],
    [{cn: 'd', usage: 'device', notBefore: new Date(0), days: 1}, 'end before it begins'],
  ] as const)('refuses %j', async (options, why) => {
    const authority = await newAuthority(await tempFolder());
    await expect(issueCertificate(authority, options)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(why),
    });
  });
});
