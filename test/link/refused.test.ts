import {describe, expect, it, vi} from 'vitest';
import type {CertificateRequest} from '../../src/lib/tls/index.js';
import {DAY, forge, makeCrl, newAuthority} from '../tls/support.js';
import {counted, type Gate, openGate} from './gate.js';
import {dialTcp, RawClient} from './raw-client.js';

/** Nothing of a refused connection stays. */
async function expectRefused(gate: Gate, reason: string, count = 1): Promise<void> {
  await vi.waitFor(() => expect(counted(gate.server, 'handshakeFailures')).toEqual({[reason]: count}));
  await vi.waitFor(() => expect(gate.counters.connections).toBe(0));
  expect(gate.lines.filter(({level, fields}) => level === 'warn' && fields.reason === reason)).toHaveLength(1);
  expect(gate.events).toEqual([]);
  expect(gate.counters.sessionsOnline).toBe(0);
}

describe('a connection is refused, counted and logged once', () => {
  it('without a certificate', async () => {
    const gate = await openGate();
    for (let again = 0; again < 3; again++) {
      const client = RawClient.open(gate.port, {ca: gate.authority.certificatePem});
      expect(await client.rest()).toEqual([]);
    }
    await expectRefused(gate, 'no_certificate', 3);
  });

  const past = {notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY)};
  const future = {notBefore: new Date(Date.now() + DAY), notAfter: new Date(Date.now() + 2 * DAY)};
  const table: [string, string, Partial<CertificateRequest>][] = [
    ['that has expired', 'expired', past],
    ['that is not valid yet', 'not_yet_valid', future],
    ['for servers', 'wrong_usage', {extendedKeyUsage: ['serverAuth']}],
    ['without a usage', 'wrong_usage', {extendedKeyUsage: undefined}],
    ['of an authority', 'wrong_usage', {pathLength: 0, keyUsage: ['keyCertSign', 'digitalSignature']}],
  ];
  it.each(table)('with a certificate %s', async (_, reason, request) => {
    const gate = await openGate();
    const {cert, key} = await forge(gate.authority, request);
    const client = RawClient.open(gate.port, {ca: gate.authority.certificatePem, cert, key});
    client.socket.once('secureConnect', () => client.say('LoginReq', {deviceId: 'device001', token: '', version: ''}));
    expect(await client.rest()).toEqual([]);
    await expectRefused(gate, reason);
  });

  it('with a certificate of another authority, of its own, or signed by nobody known', async () => {
    const gate = await openGate();
    const other = await newAuthority(gate.dir, 'other');
    const {cert, key} = await forge(other);
    const namesake = await forge({...other, certificate: gate.authority.certificate});
    for (const pair of [{cert, key}, {cert: cert + other.certificatePem, key}, namesake]) {
      const client = RawClient.open(gate.port, {ca: gate.authority.certificatePem, ...pair});
      expect(await client.rest()).toEqual([]);
    }
    await expectRefused(gate, 'unknown_ca', 3);
  });

  it('with a certificate that is revoked', async () => {
    const gate = await openGate({
      tls: async ({dir, authority}) => ({crl: await makeCrl(dir, authority, ['0BAD'])}),
    });
    const {cert, key} = await forge(gate.authority, {serial: '0bad'});
    const client = RawClient.open(gate.port, {ca: gate.authority.certificatePem, cert, key});
    expect(await client.rest()).toEqual([]);
    await expectRefused(gate, 'revoked');
    await gate.device('device002');
  });

  it('with TLS 1.2, unless that is allowed', async () => {
    const strict = await openGate();
    const old = RawClient.open(strict.port, {...(await strict.pair('device001')), maxVersion: 'TLSv1.2'});
    expect(await old.closed).not.toBe('');
    await expectRefused(strict, 'tls_version');

    const lax = await openGate({tls: {min_version: '1.2'}});
    const client = await lax.dial('device001', {maxVersion: 'TLSv1.2'});
    expect(client.socket.getProtocol()).toBe('TLSv1.2');
    await client.login('device001');
    const refused = RawClient.open(lax.port, {ca: lax.authority.certificatePem, maxVersion: 'TLSv1.2'});
    await refused.closed;
    await vi.waitFor(() => expect(counted(lax.server, 'handshakeFailures')).toEqual({no_certificate: 1}));
  });

  it.each([
    ['plain HTTP', 'plain_http', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a frame without TLS', 'not_tls', '\0\0\0\x02\x03\x08'],
    ['garbage', 'not_tls', '\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4'],
  ])('with %s', async (_, reason, bytes) => {
    const gate = await openGate();
    const socket = await dialTcp(gate.port);
    socket.write(Buffer.from(bytes, 'latin1'));
    await socket.over;
    await expectRefused(gate, reason);
  });

  it('when it goes away in the middle of the handshake', async () => {
    const gate = await openGate();
    const socket = await dialTcp(gate.port);
    socket.write(Buffer.of(0x16, 0x03, 0x01));
    await vi.waitFor(() => expect(gate.counters.connections).toBe(1));
    socket.resetAndDestroy();
    await expectRefused(gate, 'reset');
  });
});
