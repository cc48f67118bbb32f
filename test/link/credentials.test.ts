import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it, vi} from 'vitest';
import {issueCertificate} from '../../src/lib/tls/index.js';
import {makeCrl} from '../tls/support.js';
import {counted, type Gate, openGate} from './gate.js';
import {openGateway} from './gateway.js';
import {RawClient} from './raw-client.js';

interface Files {
  cert: string;
  key: string;
  crl: string;
}

/** A server whose certificate, key and revocation list are files, as in production. */
async function openWithFiles(): Promise<{gate: Gate; files: Files}> {
  let files: Files | undefined;
  const gate = await openGate({
    tls: async ({dir, authority}) => {
      const issued = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
      files = {cert: join(dir, 's.crt'), key: join(dir, 's.key'), crl: join(dir, 'ca.crl')};
      await writeFile(files.cert, issued.certificatePem);
      await writeFile(files.key, issued.privateKeyPem, {mode: 0o600});
      await writeFile(files.crl, await makeCrl(dir, authority, []));
      return files;
    },
  });
  if (files === undefined) throw new Error('no files');
  return {gate, files};
}

async function revoke(gate: Gate, files: Files, serial: string): Promise<void> {
  await writeFile(files.crl, await makeCrl(gate.dir, gate.authority, [serial]));
}

async function reload(gate: Gate): Promise<Error | undefined> {
  const told = once(gate.server, 'reload');
  await gate.server.reload();
  const [fault] = await told;
  return fault;
}

const serialOf = (pair: object): string => new X509Certificate((pair as {cert: string}).cert).serialNumber;

describe('a reload', () => {
  it('closes the device whose certificate is revoked, keeps it out, and touches nobody else', async () => {
    const {gate, files} = await openWithFiles();
    const bad = await gate.pair('device001');
    const revoked = await RawClient.dial(gate.port, bad);
    await revoked.login('device001');
    const good = await gate.device('device002');
    const session = revoked.session;
    await revoke(gate, files, serialOf(bad));
    expect(await reload(gate)).toBeUndefined();
    await revoked.rest();
    expect(await gate.untilEvent('disconnected')).toMatchObject({deviceId: 'device001', reason: 'certificate_revoked'});
    await good.alive();
    for (const again of [bad, {...bad, session}]) {
      const client = RawClient.open(gate.port, again);
      client.socket.once('secureConnect', () =>
        client.say('LoginReq', {deviceId: 'device001', token: '', version: ''}),
      );
      expect(await client.rest()).toEqual([]);
    }
    expect(gate.counters.handshakesResumed).toBe(0);
    await vi.waitFor(() => expect(counted(gate.server, 'handshakeFailures')).toEqual({revoked: 2}));
    expect(gate.server.isOnline('device001')).toBe(false);
  });

  it('serves the new certificate to those who come, and keeps those who are there', async () => {
    const {gate, files} = await openWithFiles();
    const before = await gate.device('device001');
    const issued = await issueCertificate(gate.authority, {cn: 'localhost', usage: 'server'});
    await writeFile(files.cert, issued.certificatePem);
    await writeFile(files.key, issued.privateKeyPem);
    expect(await reload(gate)).toBeUndefined();
    const after = await gate.device('device002');
    await before.alive();
    const fingerprint = (client: RawClient): string => client.socket.getPeerCertificate().fingerprint256;
    expect(fingerprint(after)).toBe(new X509Certificate(issued.certificatePem).fingerprint256);
    expect(fingerprint(before)).not.toBe(fingerprint(after));
    // An incomplete set of options would have fallen back to TLS 1.2 and to no revocation list.
    const old = RawClient.open(gate.port, {...(await gate.pair('device003')), maxVersion: 'TLSv1.2'});
    expect(await old.closed).not.toBe('');
  });

  it.each<[string, (files: Files, gate: Gate) => Promise<unknown>, string]>([
    ['a broken certificate', ({cert}) => writeFile(cert, 'garbage'), 'TLS_CERT_INVALID'],
    [
      'a key of another certificate',
      async ({key}, gate) => writeFile(key, (await gate.issue('x')).privateKeyPem),
      'TLS_KEY_MISMATCH',
    ],
    ['an empty revocation list', ({crl}) => writeFile(crl, ''), 'CRL_EMPTY'],
    ['a broken authority', (_, gate) => writeFile(gate.caFile, 'garbage'), 'TLS_CA_INVALID'],
    [
      'a certificate for devices',
      async ({cert, key}, gate) => {
        const issued = await gate.issue('device009');
        await writeFile(cert, issued.certificatePem);
        await writeFile(key, issued.privateKeyPem);
      },
      'TLS_CERT_INVALID',
    ],
  ])('with %s changes nothing', async (_, spoil, code) => {
    const {gate, files} = await openWithFiles();
    const revoked = await gate.pair('device002');
    await revoke(gate, files, serialOf(revoked));
    expect(await reload(gate)).toBeUndefined();
    const before = await gate.device('device001');
    const {session} = before;
    await spoil(files, gate);
    const fault = await reload(gate);
    expect(fault).toMatchObject({code});
    await before.alive();
    const after = await gate.dial('device003');
    await after.login('device003');
    expect(session).toBeDefined();
    const refused = RawClient.open(gate.port, revoked);
    expect(await refused.rest()).toEqual([]);
    await vi.waitFor(() => expect(counted(gate.server, 'handshakeFailures')).toEqual({revoked: 1}));
  });
});

describe('a resumed TLS session', () => {
  it('is taken up, and counted as such', async () => {
    const gate = await openGate();
    const pair = await gate.pair('device001');
    const first = await RawClient.dial(gate.port, pair);
    await first.login('device001');
    first.destroy();
    const second = await RawClient.dial(gate.port, {...pair, session: first.session});
    await second.login('device001');
    expect(second.socket.isSessionReused()).toBe(true);
    expect([gate.counters.handshakesFull, gate.counters.handshakesResumed]).toEqual([1, 1]);
    expect(gate.events.find(({kind}) => kind === 'loggedIn')?.driver.peer.identity?.cn).toBe('device001');
    second.destroy();
  });

  it('does not exist where tickets are off', async () => {
    const gate = await openGate({tls: {session_tickets: false}});
    const pair = await gate.pair('device001');
    const first = await RawClient.dial(gate.port, pair);
    await first.login('device001');
    const second = await RawClient.dial(gate.port, {...pair, ...(first.session && {session: first.session})});
    await second.login('device001');
    expect(gate.counters.handshakesResumed).toBe(0);
    for (const client of [first, second]) client.destroy();
  });

  it('of a certificate that was revoked meanwhile is refused by our own check, even with the same ticket keys', async () => {
    const gateway = await openGateway({crl: []});
    const pair = await gateway.pair('device001');
    const first = await RawClient.dial(gateway.port, pair);
    await first.login('device001');
    first.destroy();
    await gateway.closedAll();
    // OpenSSL keeps the old list and the old keys: it will see nothing wrong.
    await gateway.revokeUnseen(serialOf(pair));
    const second = RawClient.open(gateway.port, {...pair, session: first.session});
    expect(await second.rest()).toEqual([]);
    expect(gateway.counters.handshakesResumed).toBe(1);
    expect(Object.fromEntries(gateway.counters.handshakeFailures.entries())).toMatchObject({revoked: 1});
    await gateway.closedAll();
  });
});
