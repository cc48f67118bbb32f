import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {type ClientTlsConfig, issueCertificate, loadClientCredentials} from '../../src/lib/tls/index.js';
import {DAY, forge, newAuthority, tempFolder} from './support.js';

describe('client credentials', () => {
  it('verify the server always, and leave the check of its name to Node', async () => {
    const authority = await newAuthority(await tempFolder());
    const device = await issueCertificate(authority, {cn: 'device001', usage: 'device'});
    const options = await loadClientCredentials({
      ca: authority.certificateFile,
      cert: device.certificatePem,
      key: device.privateKeyPem,
      server_name: 'gateway',
    });
    expect(options).toMatchObject({rejectUnauthorized: true, minVersion: 'TLSv1.3', servername: 'gateway'});
    expect(options).not.toHaveProperty('checkServerIdentity');
    expect(options.ca).toHaveLength(1);
    expect(await loadClientCredentials({min_version: '1.2'})).toMatchObject({minVersion: 'TLSv1.2'});
  });

  it('are refused, naming the key', async () => {
    const folder = await tempFolder();
    const [authority, other] = [await newAuthority(folder), await newAuthority(folder, 'b')];
    const device = await issueCertificate(authority, {cn: 'd', usage: 'device'});
    const server = await issueCertificate(authority, {cn: 'd', usage: 'server'});
    const old = await forge(authority, {
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() - DAY),
    });
    const table: [ClientTlsConfig, string, string][] = [
      [{ca: join(folder, 'none')}, 'TLS_FILE_UNREADABLE', 'client.tls.ca'],
      [{ca: device.certificatePem}, 'TLS_CA_INVALID', 'client.tls.ca'],
      [{cert: device.certificatePem}, 'TLS_KEY_REQUIRED', 'client.tls.key'],
      [{key: device.privateKeyPem}, 'TLS_KEY_REQUIRED', 'client.tls.cert'],
      [{cert: device.certificatePem, key: server.privateKeyPem}, 'TLS_KEY_MISMATCH', 'client.tls.key'],
      [{cert: device.certificatePem, key: other.certificateFile}, 'KEY_PERMISSIONS', 'client.tls.key'],
      [{cert: server.certificatePem, key: server.privateKeyPem}, 'TLS_CERT_INVALID', 'client.tls.cert'],
      [{cert: old.cert, key: old.key}, 'TLS_CERT_EXPIRED', 'client.tls.cert'],
    ];
    for (const [config, code, where] of table) {
      await expect(loadClientCredentials(config)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(where),
      });
    }
  });

  it('of a device whose clock is behind are taken', async () => {
    const authority = await newAuthority(await tempFolder());
    const early = await forge(authority, {
      notBefore: new Date(Date.now() + DAY),
      notAfter: new Date(Date.now() + 2 * DAY),
    });
    await expect(loadClientCredentials({cert: early.cert, key: early.key})).resolves.toHaveProperty('cert');
  });
});
