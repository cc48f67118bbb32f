import {execFileSync} from 'node:child_process';
import {EventEmitter, once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import {type AddressInfo, createServer as createTcpServer} from 'node:net';
import {join} from 'node:path';
import {gzipSync} from 'node:zlib';
import {describe, expect, it, onTestFinished} from 'vitest';
import {openTarget, type Resolve, TARGET_LIMITS, type Target, type TargetOptions} from '../../src/lib/events/target.js';
import {closeServer, listen, ok, type Reply, startSink, status, tempFolder} from './support.js';

const allowed = {allowPrivate: true, allowHttp: true};
const limits = {...TARGET_LIMITS, connectMs: 1000, totalMs: 300};

function target(options: Partial<TargetOptions> & {url: string}): Target {
  const opened = openTarget({...allowed, ...options});
  onTestFinished(() => opened.close());
  return opened;
}

const post = (one: Target) => one.post({'x-test': '1'}, Buffer.from('{"a":1}'));

/** A server that answers whatever is sent with these bytes, and then does as told. */
async function rawSink(answer: string | Buffer, after: 'end' | 'stay' = 'end'): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => (after === 'end' ? socket.end(answer) : socket.write(answer)));
  });
  await listen(server);
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe('a post', () => {
  it('brings headers and body, and the status back', async () => {
    const sink = await startSink(status(418));
    const one = target({url: sink.url});
    expect(one.path).toBe('/webhook/iot?shop=1');
    expect((await post(one)).status).toBe(418);
    expect(sink.received[0]).toMatchObject({path: one.path, body: Buffer.from('{"a":1}')});
    expect(sink.received[0]?.headers).toMatchObject({'x-test': '1', host: `127.0.0.1:${sink.port}`});
  });

  it('tells what Retry-After says', async () => {
    const sink = await startSink(status(429, {'retry-after': '7'}));
    expect(await post(target({url: sink.url}))).toEqual({status: 429, retryAfter: '7'});
  });

  it('does not follow a redirect', async () => {
    const other = await startSink(ok);
    const sink = await startSink(status(307, {location: other.url}));
    expect((await post(target({url: sink.url}))).status).toBe(307);
    expect(other.received).toEqual([]);
  });

  it.each([
    ['never answers', () => {}],
    ['never ends its headers', (response) => response.socket?.write('HTTP/1.1 200 OK\r\nx: ')],
    ['only says 100', (response) => response.writeContinue()],
  ] satisfies [string, Reply][])('ends at an endpoint that %s', async (_, reply) => {
    const sink = await startSink(reply as Reply);
    await expect(post(target({url: sink.url, limits}))).rejects.toMatchObject({code: 'EVENT_NOT_ANSWERED'});
  });

  it('believes the status of an answer that never ends, and leaves the rest', async () => {
    const sink = await startSink((response) => {
      response.writeHead(200).write('…');
    });
    expect((await post(target({url: sink.url, limits}))).status).toBe(200);
  });

  it('reads 64 KiB of an answer at most', async () => {
    let written = 0;
    const closed = new EventEmitter();
    const sink = await startSink((response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        while (!response.destroyed && written < 1e9) {
          written += chunk.length;
          if (!response.write(chunk)) return;
        }
      };
      response.on('drain', more).on('close', () => closed.emit('closed'));
      more();
    });
    const end = once(closed, 'closed');
    expect((await post(target({url: sink.url}))).status).toBe(200);
    await end;
    expect(written).toBeLessThan(20e6);
  });

  it('does not unpack an answer', async () => {
    const bomb = gzipSync(Buffer.alloc(20e6));
    const sink = await startSink((response) => {
      response.writeHead(200, {'content-encoding': 'gzip'}).end(bomb);
    });
    const before = process.memoryUsage().arrayBuffers;
    expect((await post(target({url: sink.url}))).status).toBe(200);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10e6);
  });

  it.each([
    ['garbage', Buffer.from([0x15, 3, 3, 0, 2, 2, 70, 0, 0xff])],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
    ['half an answer', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nabc'],
    ['headers without end', `HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(20_000)}`],
  ])('refuses %s for an answer', async (_, answer) => {
    await expect(post(target({url: await rawSink(answer)}))).rejects.toMatchObject({code: 'EVENT_NOT_ANSWERED'});
  });

  it('says that nobody listens, and names no address', async () => {
    const server = createServer();
    await listen(server);
    const {port} = server.address() as AddressInfo;
    await closeServer(server);
    await expect(post(target({url: `http://127.0.0.1:${port}/`}))).rejects.toMatchObject({
      code: 'EVENT_NOT_ANSWERED',
      message: 'ECONNREFUSED',
    });
  });
});

describe('https', () => {
  const certificate = () => {
    const folder = tempFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=shop.example';
    execFileSync(
      'openssl',
      [...request.split(' '), '-addext', 'subjectAltName=DNS:shop.example', '-keyout', key, '-out', cert],
      {
        stdio: 'pipe',
      },
    );
    return {key: readFileSync(key), cert: readFileSync(cert, 'utf8')};
  };
  const resolve: Resolve = async () => [{address: '127.0.0.1', family: 4}];

  it('reaches a receiver by its name, and only with a certificate that is good for it', async () => {
    const {key, cert} = certificate();
    const sink = await startSink(ok, {make: (listener) => createSecureServer({key, cert}, listener)});
    const url = `https://shop.example:${sink.port}/hook`;
    expect((await post(target({url, ca: cert, resolve}))).status).toBe(200);
    expect(sink.received[0]?.headers.host).toBe(`shop.example:${sink.port}`);
    await expect(post(target({url, resolve}))).rejects.toMatchObject({message: 'DEPTH_ZERO_SELF_SIGNED_CERT'});
    const other = `https://other.example:${sink.port}/hook`;
    await expect(post(target({url: other, ca: cert, resolve}))).rejects.toMatchObject({
      message: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expect(sink.received).toHaveLength(1);
  });
});

describe('a name that leads to a private address', () => {
  const strict = {allowPrivate: false, allowHttp: true};
  const refusal = {code: 'EVENT_TARGET_REFUSED'};
  const answering =
    (...answers: string[][]): Resolve =>
    async () =>
      (answers.length > 1 ? (answers.shift() ?? []) : (answers[0] ?? [])).map((address) => ({
        address,
        family: address.includes(':') ? 6 : 4,
      }));

  it.each([['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['64:ff9b::7f00:1'], ['8.8.8.8', '127.0.0.1']])(
    'is not connected to: %s %s',
    async (...addresses) => {
      const sink = await startSink(ok);
      const one = target({...strict, url: `http://shop.example:${sink.port}/`, resolve: answering(addresses)});
      await expect(post(one)).rejects.toMatchObject(refusal);
      expect(sink.received).toEqual([]);
    },
  );

  it('is looked up once for a connection, and that answer is the one connected to', async () => {
    const sink = await startSink(ok);
    let asked = 0;
    const resolve: Resolve = async () => {
      asked += 1;
      // The first answer is used; if anything looked the name up again, it would go elsewhere.
      return [{address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4}];
    };
    const one = target({url: `http://shop.example:${sink.port}/`, resolve});
    expect((await post(one)).status).toBe(200);
    expect(asked).toBe(1);
  });

  it('is refused when the answer has changed since the last time', async () => {
    const sink = await startSink(ok);
    const resolve = answering(['192.0.2.1', '8.8.8.8'], ['127.0.0.1']);
    const one = target({...strict, url: `http://shop.example:${sink.port}/`, resolve});
    await expect(post(one)).rejects.toMatchObject(refusal);
    await expect(post(one)).rejects.toMatchObject(refusal);
    expect(sink.received).toEqual([]);
  });

  it('is refused with the real resolver, too', async () => {
    const sink = await startSink(ok);
    for (const name of ['localhost', 'LOCALHOST']) {
      await expect(post(target({...strict, url: `http://${name}:${sink.port}/`}))).rejects.toMatchObject(refusal);
    }
    expect(sink.received).toEqual([]);
  });

  it('is an attempt without answer when the name does not exist or the look-up hangs', async () => {
    const none = target({...strict, url: 'http://shop.example/', resolve: answering([])});
    await expect(post(none)).rejects.toMatchObject({code: 'EVENT_NOT_ANSWERED'});
    const hanging = target({...strict, url: 'http://shop.example/', resolve: () => new Promise(() => {}), limits});
    await expect(post(hanging)).rejects.toMatchObject({code: 'EVENT_NOT_ANSWERED'});
  });
});
