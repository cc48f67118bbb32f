import {X509Certificate} from 'node:crypto';
import {once} from 'node:events';
import tls, {type TLSSocket} from 'node:tls';
import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {identityOf, peerIdentity} from '../../src/lib/tls/index.js';
import {certificateOfSession} from '../../src/lib/tls/peer.js';
import {openSite, type Site} from '../e2e/site.js';

let site: Site | undefined;
let server: tls.Server | undefined;
afterEach(async () => {
  server?.close();
  await site?.close();
});

/** Handshakes once, and once more with the session of the first; answers what the server saw of the device. */
async function handshakes(
  options: tls.TlsOptions & tls.ConnectionOptions,
): Promise<{der: Buffer | undefined; resumed: boolean; name: string}[]> {
  site = await openSite();
  const {certificatePem, privateKeyPem} = await site.issue('device001');
  const seen: {der: Buffer | undefined; resumed: boolean; name: string}[] = [];
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

describe('peerIdentity', () => {
  it('finds the certificate in the session of full and resumed handshakes', async () => {
    expect((await handshakes({minVersion: 'TLSv1.3'})).map(({resumed}) => resumed)).toEqual([false, true]);
  });

  it('finds it with TLS 1.2 too', async () => {
    expect((await handshakes({minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2'})).map(({resumed}) => resumed)).toEqual([
      false,
      true,
    ]);
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
