import {execFileSync} from 'node:child_process';
import {chmod, copyFile, rm, stat, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {
  createAuthority,
  generateKeys,
  issueCertificate,
  openAuthority,
  openOrCreateAuthority,
  signCertificate,
} from '../../src/lib/tls/index.js';
import {DAY, forge, newAuthority, openssl, tempFolder} from './support.js';

describe('a new authority', () => {
  it('has the extensions and modes it should', async () => {
    const folder = await tempFolder();
    const authority = await createAuthority(join(folder, 'ca'), {name: 'CN=x, O=evil "quoted"', days: 10});
    const text = openssl('x509', '-in', authority.certificateFile, '-noout', '-text');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toContain('ecdsa-with-SHA256');
    expect(text).toContain('X509v3 Subject Key Identifier');
    expect(text).toContain('X509v3 Authority Key Identifier');
    expect(authority.certificate.subject).toBe('O=paynetctl\nCN=CN=x\\, O=evil \\"quoted\\"');
    expect(authority.certificate.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/);
    expect((await stat(authority.keyFile)).mode & 0o777).toBe(0o600);
    expect((await stat(authority.certificateFile)).mode & 0o777).toBe(0o644);
    expect((await stat(join(folder, 'ca'))).mode & 0o777).toBe(0o700);
    openssl('verify', '-x509_strict', '-CAfile', authority.certificateFile, authority.certificateFile);
    const opened = await openAuthority(join(folder, 'ca'));
    expect(opened.certificate.fingerprint256).toBe(authority.certificate.fingerprint256);
  });

  it('never replaces one that is there', async () => {
    const folder = await tempFolder();
    const first = await newAuthority(folder);
    await expect(newAuthority(folder)).rejects.toMatchObject({code: 'FILE_EXISTS'});
    expect((await openAuthority(join(folder, 'ca'))).certificatePem).toBe(first.certificatePem);
  });

  it.each([{days: 0}, {days: 7301}, {days: 1.5}, {name: ''}, {name: 'a\nb'}, {name: 'x'.repeat(65)}])(
    'refuses %j',
    async (options) => {
      await expect(createAuthority(await tempFolder(), options)).rejects.toMatchObject({code: 'USAGE'});
    },
  );
});

describe('opening an authority', () => {
  it('names what is missing', async () => {
    const folder = await tempFolder();
    await expect(openAuthority(folder)).rejects.toMatchObject({code: 'CA_NOT_FOUND'});
    await newAuthority(folder);
    await rm(join(folder, 'ca', 'ca.crt'));
    await expect(openAuthority(join(folder, 'ca'))).rejects.toMatchObject({
      code: 'CA_INCOMPLETE',
      message: expect.stringContaining('no ca.crt'),
    });
    await expect(openOrCreateAuthority(join(folder, 'ca'))).rejects.toMatchObject({code: 'CA_INCOMPLETE'});
  });

  it('waits for another run that is just writing it', async () => {
    const folder = await tempFolder();
    const {certificateFile, certificatePem} = await newAuthority(folder);
    await rm(certificateFile);
    const opening = openOrCreateAuthority(join(folder, 'ca'));
    await writeFile(certificateFile, certificatePem);
    expect(await opening).toMatchObject({created: false, authority: {certificatePem}});
  });

  it('refuses a key that others can read', async () => {
    const folder = await tempFolder();
    const {keyFile} = await newAuthority(folder);
    await chmod(keyFile, 0o644);
    await expect(openAuthority(join(folder, 'ca'))).rejects.toMatchObject({code: 'KEY_PERMISSIONS'});
  });

  it('refuses the key of another authority', async () => {
    const folder = await tempFolder();
    const [a, b] = [await newAuthority(folder, 'a'), await newAuthority(folder, 'b')];
    await copyFile(b.keyFile, a.keyFile);
    await expect(openAuthority(join(folder, 'a'))).rejects.toMatchObject({code: 'CA_KEY_MISMATCH'});
  });

  it('refuses a device certificate in its place, garbage, and a cut file', async () => {
    const folder = await tempFolder();
    const authority = await newAuthority(folder);
    const open = () => openAuthority(join(folder, 'ca'));
    const {cert, key} = await forge(authority);
    await writeFile(authority.keyFile, key);
    await writeFile(authority.certificateFile, cert);
    await expect(open()).rejects.toMatchObject({code: 'CA_INVALID', message: expect.stringContaining('not the cert')});
    await writeFile(authority.certificateFile, 'hello');
    await expect(open()).rejects.toMatchObject({code: 'CA_INVALID'});
    await writeFile(authority.certificateFile, '-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n');
    await expect(open()).rejects.toMatchObject({code: 'CA_INVALID', message: expect.stringContaining('damaged')});
    await writeFile(authority.certificateFile, authority.certificatePem.slice(0, 200));
    await expect(open()).rejects.toMatchObject({code: 'PEM_INVALID'});
  });

  it.each([
    ['ended', -3 * DAY, -DAY, 'CA_EXPIRED'],
    ['not yet begun', DAY, 3 * DAY, 'CA_INVALID'],
  ])('refuses one that has %s', async (_, from, to, code) => {
    const folder = await tempFolder();
    const keys = await generateKeys('p256');
    const certificate = await signCertificate({
      subject: [{CN: 'old'}],
      publicKey: keys.publicKey,
      signingKey: keys.privateKey,
      notBefore: new Date(Date.now() + from),
      notAfter: new Date(Date.now() + to),
      pathLength: 0,
      keyUsage: ['keyCertSign', 'cRLSign'],
    });
    await writeFile(join(folder, 'ca.crt'), certificate.toString());
    await writeFile(join(folder, 'ca.key'), keys.privateKey.export({type: 'pkcs8', format: 'pem'}), {mode: 0o600});
    await expect(openAuthority(folder)).rejects.toMatchObject({code});
  });

  it('says so when the key has a passphrase', async () => {
    const folder = await tempFolder();
    const {keyFile} = await newAuthority(folder);
    execFileSync('openssl', ['pkey', '-in', keyFile, '-aes256', '-passout', 'pass:x', '-out', `${keyFile}.enc`]);
    await copyFile(`${keyFile}.enc`, keyFile);
    await chmod(keyFile, 0o600);
    await expect(openAuthority(join(folder, 'ca'))).rejects.toMatchObject({code: 'KEY_ENCRYPTED'});
  });

  const foreign: [string, string[]][] = [
    ['P-256', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384']],
    ['RSA', ['-newkey', 'rsa:2048']],
    ['Ed25519', ['-newkey', 'ed25519']],
  ];
  it.each(foreign)('issues with an authority made by openssl: %s', async (_, kind) => {
    const folder = await tempFolder();
    const [crt, key] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
    const extensions = ['-addext', 'keyUsage=critical,keyCertSign,cRLSign'];
    openssl('req', '-x509', ...kind, '-nodes', '-subj', '/C=CN/CN=Fab', ...extensions, '-keyout', key, '-out', crt);
    await chmod(key, 0o600);
    const issued = await issueCertificate(await openAuthority(folder), {cn: 'device001', usage: 'device'});
    await writeFile(join(folder, 'd.crt'), issued.certificatePem);
    expect(openssl('verify', '-x509_strict', '-CAfile', crt, join(folder, 'd.crt'))).toContain('OK');
    // The authority of 30 days comes first.
    expect(issued.shortened).toBe(true);
  });
});
