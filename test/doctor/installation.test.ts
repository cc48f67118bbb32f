import {once} from 'node:events';
import {createServer as createHttpServer} from 'node:http';
import {type AddressInfo, createServer, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {describe, expect, it, onTestFinished} from 'vitest';
import {type ConfigInput, parseConfig} from '../../src/lib/config/index.js';
import {checkCertificates, checkPorts, checkRedis, runChecks} from '../../src/lib/doctor/index.js';
import {issueCertificate} from '../../src/lib/tls/index.js';
import {DAY, forge, newAuthority, tempFolder} from '../tls/support.js';

/** A server on loopback that goes with the test; what it does with a connection is told. */
async function listening(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    serve(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  return (server.address() as AddressInfo).port;
}

/** A port that nothing listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const {port} = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

const config = (addr: string, observe: string) =>
  parseConfig(
    {server: {addr, tls: {cert: 'c', key: 'k', client_ca: 'a'}}, observe: {addr: observe}} as ConfigInput,
    'server',
  );

describe('ports', () => {
  it('are free', async () => {
    expect(await checkPorts(config('127.0.0.1:0', 'off'))).toMatchObject({status: 'ok'});
    expect((await checkPorts(config('127.0.0.1:0', '127.0.0.1:0'))).found).toContain(
      'observe.addr "127.0.0.1:0" is free',
    );
  });

  it('are in use', async () => {
    const port = await listening((socket) => socket.destroy());
    expect(await checkPorts(config(`127.0.0.1:${port}`, '127.0.0.1:0'))).toMatchObject({
      status: 'problem',
      found: expect.stringContaining(`port ${port} is already in use (server.addr`),
    });
    expect(await checkPorts(config('127.0.0.1:0', `127.0.0.1:${port}`))).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('observe.addr'),
    });
  });

  it('are used twice by the configuration itself', async () => {
    const free = await freePort();
    const finding = await checkPorts(config(`127.0.0.1:${free}`, `127.0.0.1:${free}`));
    expect(finding).toMatchObject({status: 'problem', found: expect.stringContaining('server.addr')});
    expect(finding.found).toContain('already in use (observe.addr');
  });

  it('are in use by the running server itself, which is no problem', async () => {
    const health = createHttpServer((_, response) => response.end('{"alive":true}')).listen(0, '127.0.0.1');
    await once(health, 'listening');
    onTestFinished(() => {
      health.closeAllConnections();
      health.close();
    });
    const {port} = health.address() as AddressInfo;
    const devices = await listening(() => {});
    expect(await checkPorts(config(`127.0.0.1:${devices}`, `127.0.0.1:${port}`))).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('answers /healthz'),
    });
  });

  it('are not waited for when whoever has them says nothing', async () => {
    const silent = await listening(() => {});
    expect(await checkPorts(config('127.0.0.1:0', `127.0.0.1:${silent}`))).toMatchObject({status: 'problem'});
  });

  it('of an address that this machine does not have', async () => {
    expect(await checkPorts(config('192.0.2.1:443', 'off'))).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('no address of this machine'),
    });
  });
});

describe('certificates', () => {
  const rest = {mutual_auth: true, min_version: '1.3', session_tickets: true} as const;

  it('are good, expire soon, have expired, or do not fit their key', async () => {
    const authority = await newAuthority(await tempFolder());
    const client_ca = authority.certificate.toString();
    const good = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
    const tls = {...rest, client_ca, cert: good.certificatePem, key: good.privateKeyPem};
    expect(await checkCertificates(tls)).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('2 certificates'),
    });

    const other = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
    expect(await checkCertificates({...tls, key: other.privateKeyPem})).toMatchObject({
      status: 'problem',
      found: 'server.tls.key is not the key of server.tls.cert.',
    });

    const day = {extendedKeyUsage: ['serverAuth' as const], subject: [{CN: 'localhost'}]};
    const soon = await forge(authority, {...day, notAfter: new Date(Date.now() + 5 * DAY)});
    expect(await checkCertificates({...tls, ...soon})).toMatchObject({
      status: 'warning',
      found: expect.stringContaining('server.tls.cert in 4 days'),
    });
    const ended = await forge(authority, {
      ...day,
      notBefore: new Date(Date.now() - 2 * DAY),
      notAfter: new Date(Date.now() - DAY),
    });
    expect(await checkCertificates({...tls, ...ended})).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('expired on'),
    });
    expect(await checkCertificates({...tls, cert: '/nowhere/server.crt'})).toMatchObject({
      status: 'problem',
      found: expect.stringContaining('server.tls.cert: /nowhere/server.crt cannot be read'),
    });
  });
});

describe('Redis', () => {
  /** Enough of Redis's protocol for a greeting: `+OK` to everything but the commands told. */
  const redis = (answers: Record<string, string>): Promise<number> =>
    listening((socket) => {
      socket.on('data', (chunk) => {
        for (const [, name = ''] of chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
          socket.write(answers[name.toLowerCase()] ?? '+OK\r\n');
        }
      });
    });

  it('answers', async () => {
    const port = await redis({ping: '+PONG\r\n'});
    expect(await checkRedis(`redis://127.0.0.1:${port}/0`)).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(`Redis at 127.0.0.1:${port} answers in`),
    });
  });

  it('is away, hangs, or refuses the password, which is never shown', async () => {
    const closed = await freePort();
    const silent = await listening(() => {});
    const wrongPassword = '-WRONGPASS invalid username-password pair\r\n';
    const refusing = await redis({auth: wrongPassword, ping: '-NOAUTH Authentication required.\r\n'});
    for (const [port, why] of [
      [closed, 'ECONNREFUSED'],
      [silent, 'timed out'],
      [refusing, /WRONGPASS|NOAUTH/],
    ] as const) {
      const finding = await checkRedis(`redis://user:geheim@127.0.0.1:${port}/0`);
      expect(finding).toMatchObject({status: 'problem', found: expect.stringMatching(why)});
      expect(JSON.stringify(finding)).not.toContain('geheim');
    }
  });
});

describe('runChecks', () => {
  it('goes on behind a check that throws or hangs', async () => {
    let released = false;
    const hang = new AbortController();
    const results = await runChecks(
      [
        {name: 'throws', run: () => Promise.reject(new Error('no such thing'))},
        {
          name: 'hangs',
          run: async () => {
            await sleep(60_000, undefined, {signal: hang.signal}).catch(() => {});
            released = true;
            return {status: 'ok', found: 'late'};
          },
        },
        {name: 'works', run: () => ({status: 'ok', found: 'fine'})},
      ],
      50,
    );
    expect(released).toBe(false);
    hang.abort();
    expect(results).toEqual([
      {name: 'throws', status: 'problem', found: 'no such thing', advice: 'This could not be looked at.'},
      {name: 'hangs', status: 'problem', found: 'no answer within 0.05 s', advice: expect.any(String)},
      {name: 'works', status: 'ok', found: 'fine', advice: null},
    ]);
  });
});
