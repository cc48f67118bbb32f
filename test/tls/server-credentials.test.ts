import {chmod, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createServer, type TlsOptions} from 'node:tls';
import {beforeEach, describe, expect, it} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {proveHandshake} from '../../src/lib/tls/handshake.js';
import {
  type Authority,
  issueCertificate,
  KEY_TYPES,
  loadServerCredentials,
  type ServerTlsConfig,
} from '../../src/lib/tls/index.js';
import {DAY, forge, makeCrl, newAuthority, openssl, tempFolder} from './support.js';

let folder: string;
let authority: Authority;
let config: ServerTlsConfig;

beforeEach(async () => {
  folder = await tempFolder();
  authority = await newAuthority(folder);
  const issued = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  config = {
    cert: await put('server.crt', issued.certificatePem),
    key: await put('server.key', issued.privateKeyPem, 0o600),
    client_ca: authority.certificateFile,
    mutual_auth: true,
    min_version: '1.3',
    session_tickets: true,
  };
});

async function put(name: string, text: string, mode = 0o644): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

describe('server credentials', () => {
  it('are complete: nothing is left to a default of Node', async () => {
    const crl = await put('a.crl', await makeCrl(folder, authority, ['0A']));
    const {options, files, certificates, revocation} = await loadServerCredentials({...config, crl});
    expect(Object.keys(options).sort()).toEqual([
      'ca',
      'cert',
      'ciphers',
      'crl',
      'ecdhCurve',
      'honorCipherOrder',
      'key',
      'maxVersion',
      'minVersion',
      'rejectUnauthorized',
      'requestCert',
      'secureOptions',
      'sessionIdContext',
      'sessionTimeout',
    ]);
    expect(options).toMatchObject({minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true});
    expect(Object.values(options)).not.toContain(undefined);
    expect(files).toEqual([config.cert, config.key, config.client_ca, crl]);
    expect(revocation?.size).toBe(1);
    expect(certificates.map(({file, subject}) => [file, subject])).toEqual([
      [config.cert, 'CN=localhost'],
      [config.client_ca, authority.certificate.subject.replace('\n', ', ')],
    ]);
    expect(certificates[1]?.notAfter).toBe(Date.parse(authority.certificate.validTo));
  });

  it('take PEM text in place of paths, and then watch no file', async () => {
    const inline = {
      cert: `\n${await readFile(config.cert, 'utf8')}`,
      key: await readFile(config.key, 'utf8'),
      client_ca: authority.certificatePem,
    };
    const {files, certificates} = await loadServerCredentials({...config, ...inline});
    expect(files).toEqual([]);
    expect(certificates[0]?.file).toBe('server.tls.cert');
  });

  it('without mutual authentication trust nobody, rather than the public authorities', async () => {
    const {options} = await loadServerCredentials({...config, client_ca: undefined, mutual_auth: false});
    expect(options).toMatchObject({ca: [], requestCert: false, rejectUnauthorized: false});
  });

  it('hand OpenSSL every list of a file, one by one', async () => {
    const other = await newAuthority(folder, 'b');
    const both = (await makeCrl(folder, authority, [])) + (await makeCrl(folder, other, ['0B']));
    const client_ca = await put('both.crt', authority.certificatePem + other.certificatePem);
    const {options} = await loadServerCredentials({...config, client_ca, crl: [await put('both.crl', both)]});
    expect(options.crl).toHaveLength(2);
    expect(options.ca).toHaveLength(2);
  });

  it.each(KEY_TYPES)('prove a handshake with a %s key, with 1.2 allowed too', async (keyType) => {
    const issued = await issueCertificate(authority, {cn: 'localhost', usage: 'server', keyType});
    const pair = {cert: issued.certificatePem, key: issued.privateKeyPem};
    await expect(loadServerCredentials({...config, ...pair, min_version: '1.2'})).resolves.toBeDefined();
  });
});

describe('server credentials are refused', () => {
  const device = () => issueCertificate(authority, {cn: 'device001', usage: 'device'});
  const serverPair = async (from: number, to: number) => {
    const {cert, key} = await forge(authority, {
      extendedKeyUsage: ['serverAuth'],
      notBefore: new Date(Date.now() + from),
      notAfter: new Date(Date.now() + to),
    });
    return {cert, key};
  };
  const table: [string, () => Promise<Partial<ServerTlsConfig>>, string, string][] = [
    ['no certificate file', async () => ({cert: '/nowhere/x'}), 'TLS_FILE_UNREADABLE', 'server.tls.cert: /nowhere/x'],
    ['no key file', async () => ({key: join(folder, 'none')}), 'TLS_FILE_UNREADABLE', 'server.tls.key'],
    ['no CA file', async () => ({client_ca: folder}), 'TLS_FILE_UNREADABLE', 'server.tls.client_ca'],
    ['no CRL file', async () => ({crl: [join(folder, 'none')]}), 'TLS_FILE_UNREADABLE', 'server.tls.crl'],
    [
      'an open key',
      async () => ({key: await put('open.key', await readFile(config.key, 'utf8'), 0o644)}),
      'KEY_PERMISSIONS',
      'server.tls.key',
    ],
    ['garbage for a certificate', async () => ({cert: await put('g', 'hello')}), 'TLS_CERT_INVALID', 'server.tls.cert'],
    ['garbage for a key', async () => ({key: await put('g', 'hello', 0o600)}), 'KEY_INVALID', 'server.tls.key'],
    [
      'a certificate cut off',
      async () => ({cert: await put('c', (await readFile(config.cert, 'utf8')).slice(0, 300))}),
      'PEM_INVALID',
      'server.tls.cert',
    ],
    [
      'the key of another',
      async () => ({key: await put('d.key', (await device()).privateKeyPem, 0o600)}),
      'TLS_KEY_MISMATCH',
      'server.tls.key',
    ],
    [
      'a chain in the wrong order',
      async () => ({cert: await put('w', authority.certificatePem + (await readFile(config.cert, 'utf8')))}),
      'TLS_KEY_MISMATCH',
      'server.tls.cert',
    ],
    [
      'a device certificate',
      async () => {
        const {certificatePem, privateKeyPem} = await device();
        return {cert: certificatePem, key: privateKeyPem};
      },
      'TLS_CERT_INVALID',
      'server.tls.cert',
    ],
    ['an expired certificate', () => serverPair(-2 * DAY, -DAY), 'TLS_CERT_EXPIRED', 'server.tls.cert'],
    ['one that is not valid yet', () => serverPair(DAY, 2 * DAY), 'TLS_CERT_NOT_YET_VALID', 'server.tls.cert'],
    ['no CA with mutual_auth', async () => ({client_ca: undefined}), 'TLS_CA_REQUIRED', 'server.tls.client_ca'],
    ['garbage for a CA', async () => ({client_ca: await put('g', 'hello')}), 'TLS_CA_INVALID', 'client_ca'],
    [
      'a damaged CA',
      async () => ({client_ca: '-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----'}),
      'TLS_CA_INVALID',
      'certificate 1',
    ],
    [
      'a device certificate for a CA',
      async () => ({client_ca: (await device()).certificatePem}),
      'TLS_CA_INVALID',
      'CN=device001',
    ],
    [
      'a private key among the CAs',
      async () => ({client_ca: authority.certificatePem + (await readFile(authority.keyFile, 'utf8'))}),
      'TLS_CA_INVALID',
      'PRIVATE KEY',
    ],
    ['an empty list of CRLs', async () => ({crl: []}), 'CRL_EMPTY', 'server.tls.crl'],
    ['an empty CRL file', async () => ({crl: await put('e', '')}), 'CRL_EMPTY', 'server.tls.crl'],
    ['garbage for a CRL', async () => ({crl: await put('g', 'hello')}), 'CRL_EMPTY', 'server.tls.crl'],
    [
      'a CRL without a CA',
      async () => ({crl: await makeCrl(folder, authority, []), client_ca: undefined, mutual_auth: false}),
      'TLS_CA_REQUIRED',
      'server.tls.crl',
    ],
    [
      'the CRL of another CA',
      async () => ({crl: await makeCrl(folder, await newAuthority(folder, 'b'), [])}),
      'CRL_UNKNOWN_ISSUER',
      'server.tls.crl',
    ],
    [
      'an expired CRL',
      async () => {
        const dates = ['-crl_lastupdate', '20250101000000Z', '-crl_nextupdate', '20250201000000Z'];
        return {crl: await makeCrl(folder, authority, [], dates)};
      },
      'CRL_EXPIRED',
      '2025-02-01',
    ],
    [
      'a key too small',
      async () => {
        const [cert, key] = [join(folder, 'small.crt'), join(folder, 'small.key')];
        openssl('req', '-x509', '-newkey', 'rsa:512', '-nodes', '-subj', '/CN=x', '-keyout', key, '-out', cert);
        await chmod(key, 0o600);
        return {cert, key};
      },
      'TLS_UNUSABLE',
      'key too small',
    ],
  ];
  it.each(table)('with %s', async (_, change, code, where) => {
    const error = await loadServerCredentials({...config, ...(await change())}).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PaynetError);
    expect(error).toMatchObject({code, message: expect.stringContaining(where)});
    expect(String(error)).not.toContain('BEGIN');
  });

  it('naming the configuration key it was told', async () => {
    const attempt = loadServerCredentials({...config, cert: '/nowhere/x'}, 'quickstart.tls');
    await expect(attempt).rejects.toThrow('quickstart.tls.cert');
  });
});

describe('the trial handshake', () => {
  it('notices when another certificate is served', async () => {
    const {options} = await loadServerCredentials(config);
    await expect(proveHandshake(options, authority.certificate)).rejects.toMatchObject({code: 'TLS_UNUSABLE'});
  });

  it('notices when no handshake is possible', async () => {
    const {options} = await loadServerCredentials(config);
    const broken: TlsOptions = {
      ...options,
      ciphers: 'ECDHE-RSA-AES128-GCM-SHA256',
      maxVersion: 'TLSv1.2',
      minVersion: 'TLSv1.2',
    };
    const own = (await forge(authority)).certificate;
    await expect(proveHandshake(broken, own)).rejects.toMatchObject({code: 'TLS_UNUSABLE'});
  });

  it('shows options that a running server can swap to', async () => {
    const {options} = await loadServerCredentials(config);
    const server = createServer(options);
    expect(() => server.setSecureContext(options)).not.toThrow();
  });
});
