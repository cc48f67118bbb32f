import {execFileSync} from 'node:child_process';
import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import tls, {type TLSSocket} from 'node:tls';
import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {createPeerReader, identityOf} from '../../src/lib/tls/index.js';
import {certificateOfSession} from '../../src/lib/tls/peer.js';
import {openSite, type Site} from '../e2e/site.js';

let site: Site | undefined;
let server: tls.Server | undefined;
afterEach(async () => {
  server?.close();
  await site?.close();
});

function selfSigned(): string {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    '/dev/null',
  ];
  return execFileSync('openssl', [...args, '-subj', '/CN=device001', '-days', '2'], {encoding: 'utf8', stdio: 'pipe'});
}

/** Handshakes once, and once more with the session of the first; answers what the server saw of the device. */
async function handshakes(
  options: tls.TlsOptions & tls.ConnectionOptions,
): Promise<{der: Buffer | undefined; resumed: boolean; name: string}[]> {
  site = await openSite();
  const {certificatePem, privateKeyPem} = await site.issue('device001');
  const seen: {der: Buffer | undefined; resumed: boolean; name: string}[] = [];
  const peerIdentity = createPeerReader(10);
  const {cert, key} = site.serverTls;
  const ca = site.authority.certificatePem;
  server = tls.createServer({cert, key, ca, requestCert: true, rejectUnauthorized: true, ...options}, (socket) => {
    const session = socket.getSession();
    const der = session && certificateOfSession(session);
    seen.push({der: der && Buffer.from(der), resumed: socket.isSessionReused(), name: peerIdentity(socket)?.cn ?? ''});
    socket.end('x');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as {port: number};
  let session: Buffer | undefined;
  for (let turn = 0; turn < 2; turn++) {
    const socket: TLSSocket = tls.connect({
      port,
      host: '127.0.0.1',
      ca,
      cert: certificatePem,
      key: privateKeyPem,
      ...(session && {session}),
      ...options,
    });
    socket.on('session', (ticket) => {
      session = ticket;
    });
    socket.resume();
    await once(socket, 'close');
  }
  const expected = new X509Certificate(certificatePem);
  for (const {der} of seen) expect(der?.equals(expected.raw)).toBe(true);
  expect(seen.map(({name}) => name)).toEqual(['device001', identityOf(expected)?.cn]);
  return seen;
}

describe('createPeerReader', () => {
  it('finds the certificate in the session of full and resumed handshakes', async () => {
    expect((await handshakes({minVersion: 'TLSv1.3'})).map(({resumed}) => resumed)).toEqual([false, true]);
  });

  it('finds it with TLS 1.2 too', async () => {
    expect((await handshakes({minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2'})).map(({resumed}) => resumed)).toEqual([
      false,
      true,
    ]);
  });

  it('remembers a certificate, and at most so many', () => {
    const pems = Array.from({length: 3}, () => selfSigned());
    const reader = createPeerReader(2);
    const socketOf = (pem: string): TLSSocket =>
      ({getSession: () => undefined, getPeerX509Certificate: () => new X509Certificate(pem)}) as unknown as TLSSocket;
    const [first, ...others] = pems.map((pem) => reader(socketOf(pem)));
    expect(reader(socketOf(pems[2] as string))).toBe(others[1]);
    // The first has made room for the third: it is read again, and says the same.
    const again = reader(socketOf(pems[0] as string));
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
  });

  it('finds nothing in other bytes, and never fails', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 400}), (bytes) => {
        const found = certificateOfSession(Buffer.from(bytes));
        if (found !== undefined) expect(found[0]).toBe(0x30);
      }),
      {numRuns: 2000},
    );
  });
});
