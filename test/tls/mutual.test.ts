import {EventEmitter, once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {type ConnectionOptions, connect, createServer, type Server, type TLSSocket} from 'node:tls';
import {describe, expect, it, onTestFinished} from 'vitest';
import {
  type Authority,
  type CertificateRequest,
  identityFault,
  identityOf,
  issueCertificate,
  loadServerCredentials,
  rotateTicketKeys,
  type ServerCredentials,
} from '../../src/lib/tls/index.js';
import {DAY, forge, makeCrl, newAuthority, tempFolder} from './support.js';

interface Seen {
  /** What the server saw of each connection: a refusal's reason, or the device's name. */
  events: string[];
  /** Says 'outcome' with each of them. */
  outcomes: EventEmitter;
  server: Server;
  port: number;
  authority: Authority;
  folder: string;
  credentials: ServerCredentials;
}

/** A server as the device link has it: OpenSSL first, then our own check of the identity. */
async function gateway(
  options: {revoked?: string[]; min_version?: '1.2' | '1.3'; tickets?: boolean} = {},
): Promise<Seen> {
  const folder = await tempFolder();
  const authority = await newAuthority(folder);
  const issued = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  const credentials = await loadServerCredentials({
    cert: issued.certificatePem,
    key: issued.privateKeyPem,
    client_ca: authority.certificatePem,
    crl: options.revoked === undefined ? undefined : await makeCrl(folder, authority, options.revoked),
    mutual_auth: true,
    min_version: options.min_version ?? '1.3',
    session_tickets: options.tickets ?? true,
  });
  const server = createServer(credentials.options);
  const seen: Seen = {events: [], outcomes: new EventEmitter(), server, port: 0, authority, folder, credentials};
  server.on('secureConnection', (socket) => serve(socket, seen));
  server.on('tlsClientError', (error, socket) => {
    const reason = socket.authorizationError as unknown as string | undefined;
    record(seen, reason ?? (error as NodeJS.ErrnoException).code ?? error.message);
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  seen.port = (server.address() as AddressInfo).port;
  return seen;
}

function serve(socket: TLSSocket, seen: Seen): void {
  socket.on('error', () => socket.destroy());
  const certificate = socket.getPeerX509Certificate();
  const identity = certificate && identityOf(certificate);
  const fault = identity ? identityFault(identity, Date.now(), seen.credentials.revocation) : 'no identity';
  const how = socket.isSessionReused() ? ' resumed' : '';
  record(seen, fault ?? `${identity?.cn}${how}`);
  if (fault === undefined) socket.end('welcome');
  else socket.destroy();
}

function record(seen: Seen, event: string): void {
  seen.events.push(event);
  seen.outcomes.emit('outcome');
}

/** Reads until the server closes: in TLS 1.3 a client's handshake succeeds before it is refused. */
async function dial(seen: Seen, options: ConnectionOptions): Promise<{said: string; session: Buffer | undefined}> {
  const outcome = once(seen.outcomes, 'outcome');
  const socket = connect({
    port: seen.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: seen.authority.certificatePem,
    ...options,
  });
  let said = '';
  let session: Buffer | undefined;
  socket.on('session', (ticket) => {
    session = ticket;
  });
  socket.on('data', (chunk) => {
    said += chunk.toString();
  });
  socket.on('error', () => undefined);
  await Promise.all([outcome, new Promise((closed) => socket.once('close', closed))]);
  return {said, session};
}

const expired = {notBefore: new Date(Date.now() - 2 * DAY), notAfter: new Date(Date.now() - DAY)};
const early = {notBefore: new Date(Date.now() + DAY), notAfter: new Date(Date.now() + 2 * DAY)};

describe('a mutual handshake', () => {
  const table: [string, Partial<CertificateRequest>, string][] = [
    ['a good certificate', {}, 'device001'],
    ['an expired one', expired, 'CERT_HAS_EXPIRED'],
    ['one that is not valid yet', early, 'CERT_NOT_YET_VALID'],
    ['one for servers', {extendedKeyUsage: ['serverAuth']}, 'INVALID_PURPOSE'],
    ['one without a usage', {extendedKeyUsage: undefined}, 'wrong_usage'],
    ['one that is an authority', {pathLength: 0, keyUsage: ['keyCertSign', 'digitalSignature']}, 'is_ca'],
  ];
  it.each(table)('with %s', async (_, request, outcome) => {
    const seen = await gateway();
    const {cert, key} = await forge(seen.authority, request);
    const {said} = await dial(seen, {cert, key});
    expect(seen.events).toEqual([outcome]);
    expect(said).toBe(outcome === 'device001' ? 'welcome' : '');
  });

  it('with the certificate of another authority, of the same name or not', async () => {
    const seen = await gateway();
    const other = await newAuthority(seen.folder, 'other');
    for (const name of [undefined, {...other, certificate: seen.authority.certificate}]) {
      const {cert, key} = await forge(name ?? other);
      expect((await dial(seen, {cert, key})).said).toBe('');
    }
    expect(seen.events[0]).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    expect(seen.events[1]).toBe('CERT_SIGNATURE_FAILURE');
  });

  it('without a certificate', async () => {
    const seen = await gateway();
    expect((await dial(seen, {})).said).toBe('');
    expect(seen.events).toEqual(['ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE']);
  });

  it('with a revoked certificate, while its neighbour gets in', async () => {
    const seen = await gateway({revoked: ['0BAD']});
    const bad = await forge(seen.authority, {serial: '0bad'});
    const good = await forge(seen.authority, {serial: '0bae'});
    expect((await dial(seen, bad)).said).toBe('');
    expect((await dial(seen, good)).said).toBe('welcome');
    expect(seen.events).toEqual(['CERT_REVOKED', 'device001']);
  });

  it('with TLS 1.2 is refused unless allowed, and then has forward secrecy', async () => {
    const strict = await gateway();
    const pair = await forge(strict.authority);
    expect((await dial(strict, {...pair, maxVersion: 'TLSv1.2'})).said).toBe('');
    expect(strict.events).toEqual(['ERR_SSL_UNSUPPORTED_PROTOCOL']);

    const lax = await gateway({min_version: '1.2'});
    const {cert, key} = await forge(lax.authority);
    expect((await dial(lax, {cert, key, maxVersion: 'TLSv1.2'})).said).toBe('welcome');
    const weak = {maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:ECDHE-ECDSA-AES128-SHA'} as const;
    expect((await dial(lax, {cert, key, ...weak})).said).toBe('');
    expect(lax.events).toEqual(['device001', 'ERR_SSL_NO_SHARED_CIPHER']);
  });
});

describe('a resumed session', () => {
  it('shows the certificate again, so that one revoked since is found', async () => {
    const seen = await gateway({revoked: []});
    const device = await forge(seen.authority, {serial: '0bad'});
    const {session} = await dial(seen, device);
    expect((await dial(seen, {...device, session})).said).toBe('welcome');
    expect(seen.events).toEqual(['device001', 'device001 resumed']);

    seen.credentials.revocation = (
      await loadServerCredentials({
        cert: seen.credentials.options.cert as string,
        key: seen.credentials.options.key as string,
        client_ca: seen.authority.certificatePem,
        crl: await makeCrl(seen.folder, seen.authority, ['0BAD']),
        mutual_auth: true,
        min_version: '1.3',
        session_tickets: true,
      })
    ).revocation;
    expect((await dial(seen, {...device, session})).said).toBe('');
    expect(seen.events[2]).toBe('certificate_revoked');
  });

  it('ends with the ticket keys', async () => {
    const seen = await gateway();
    const keys = rotateTicketKeys(seen.server);
    onTestFinished(() => keys.stop());
    const device = await forge(seen.authority);
    const {session} = await dial(seen, device);
    await dial(seen, {...device, session});
    keys.rotateNow();
    await dial(seen, {...device, session});
    expect(seen.events).toEqual(['device001', 'device001 resumed', 'device001']);
  });

  it('does not exist without tickets', async () => {
    const seen = await gateway({tickets: false});
    const device = await forge(seen.authority);
    const {session} = await dial(seen, device);
    await dial(seen, {...device, ...(session && {session})});
    expect(seen.events).toEqual(['device001', 'device001']);
  });
});
