import {once} from 'node:events';
import {describe, expect, it, onTestFinished} from 'vitest';
import {type CallError, createClient, type StreamEvent, type StreamOptions} from '../../src/lib/client/index.js';
import {openProxy} from '../device/proxy.js';
import {answering} from './answering.js';
import {openSite, type Site} from './site.js';

interface Following {
  /** The next event. */
  next(): Promise<StreamEvent>;
  /** Resolves when the stream is open (again). */
  open(): Promise<void>;
  lost: CallError[];
  stop: AbortController;
  iterator: AsyncGenerator<StreamEvent, void, undefined>;
}

function follow(site: Pick<Site, 'key'>, server: string, options: StreamOptions = {}): Following {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const {key, hmacSecret} = site.key;
  const client = createClient({server, key, hmacSecret, timeoutMs: 10_000, signal: stop.signal});
  const lost: CallError[] = [];
  const events = new EventTarget();
  let opened = 0;
  let awaited = 0;
  const iterator = client.stream({
    onOpen() {
      opened += 1;
      events.dispatchEvent(new Event('open'));
    },
    onLost: (error) => lost.push(error),
    ...options,
  });
  return {
    iterator,
    lost,
    stop,
    async open() {
      awaited += 1;
      if (opened < awaited) await once(events, 'open');
    },
    async next() {
      const {value, done} = await iterator.next();
      if (done === true) throw new Error('the stream has ended');
      return value;
    },
  };
}

const change = (number: number) => ({kind: 'order', data: {orderNo: `o-${number}`}}) as const;

const open = (options = {}): Promise<Site> => openSite(onTestFinished, options);

describe('the live stream', () => {
  it('tells what changes, in the words of the interface', async () => {
    const site = await open();
    const following = follow(site, site.origin);
    const first = following.next();
    await following.open();
    site.ports.tell(change(1));
    expect(await first).toMatchObject({event: 'order', data: {order_no: 'o-1'}});
  });

  it('comes back after a cut and catches up', async () => {
    const site = await open();
    const line = await openProxy(site.port);
    const following = follow(site, `http://127.0.0.1:${line.port}`);
    const first = following.next();
    await following.open();
    site.ports.tell(change(1));
    await first;
    const second = following.next();
    line.cut();
    site.ports.tell(change(2));
    site.ports.tell(change(3));
    expect((await second).data).toEqual({order_no: 'o-2'});
    expect((await following.next()).data).toEqual({order_no: 'o-3'});
    expect(following.lost.map(({code}) => code)).toEqual(['SERVER_UNREACHABLE']);
  });

  it('says "reset" when the server has started anew meanwhile', async () => {
    const site = await open();
    const other = await open({keys: site.keys});
    const line = await openProxy(site.port);
    const following = follow(site, `http://127.0.0.1:${line.port}`);
    const first = following.next();
    await following.open();
    site.ports.tell(change(1));
    await first;
    line.target = other.port;
    line.cut();
    expect((await following.next()).event).toBe('reset');
  });

  it('ends when its signal is aborted, also while it waits to come back', async () => {
    const site = await open();
    const following = follow(site, site.origin, {onLost: () => following.stop.abort()});
    const first = following.iterator.next();
    await following.open();
    await site.api.close();
    expect(await first).toEqual({value: undefined, done: true});
  });

  it('closes its connection when nobody reads on', async () => {
    const {origin} = await answering((request, response) => {
      response.writeHead(200, {'content-type': 'text/event-stream'});
      response.write('data: 1\n\ndata: 2\n\n');
      request.socket.once('close', () => closed.abort());
    });
    const closed = new AbortController();
    const gone = once(closed.signal, 'abort');
    const {iterator} = follow({key: {key: 'k', hmacSecret: 's'}} as Site, origin);
    for await (const {data} of iterator) {
      expect(data).toBe(1);
      break;
    }
    await gone;
  });

  it('throws when the first attempt fails', async () => {
    const site = await open();
    const read = await site.keyOf('read');
    await site.keys.revoke(read.id);
    await expect(follow({key: read}, site.origin).next()).rejects.toMatchObject({code: 'UNAUTHORIZED'});
    const other = await answering((_, response) => response.end('<html>'));
    await expect(follow(site, other.origin).next()).rejects.toMatchObject({code: 'ANSWER_INVALID'});
  });

  it('throws when the server refuses it later, and after so much time', async () => {
    let answers = 0;
    const {origin} = await answering((_, response) => {
      answers += 1;
      if (answers === 3) response.writeHead(401).end('{"code":40101,"error_code":"UNAUTHORIZED","message":"revoked"}');
      else if (answers === 2) response.writeHead(503).end('<html>');
      else response.writeHead(200, {'content-type': 'text/event-stream'}).end('retry: 10\n\nid: x-1\ndata: 1\n\n');
    });
    const anyone = {key: {key: 'k', hmacSecret: 's'}} as Site;
    const refused = follow(anyone, origin);
    await refused.next();
    await expect(refused.next()).rejects.toMatchObject({code: 'UNAUTHORIZED'});
    expect(refused.lost.map(({code}) => code)).toEqual(['SERVER_UNREACHABLE', 'ANSWER_INVALID']);

    answers = 0;
    const hopeless = follow(anyone, origin, {giveUpMs: 0});
    await hopeless.next();
    await expect(hopeless.next()).rejects.toMatchObject({code: 'SERVER_UNREACHABLE'});
    expect(hopeless.lost).toEqual([]);
  });

  it('asks for what came after the last event that it saw', async () => {
    const {origin, requests} = await answering((_, response) => {
      response.writeHead(200, {'content-type': 'text/event-stream'});
      response.end(`retry: 10\n\nid: x-${requests.length}\ndata: ${requests.length}\n\n`);
    });
    const following = follow({key: {key: 'k', hmacSecret: 's'}} as Site, origin, {lastEventId: 'x-0'});
    for (let count = 0; count < 3; count += 1) await following.next();
    expect(requests.map(({headers}) => headers['last-event-id'])).toEqual(['x-0', 'x-1', 'x-2']);
  });

  it('takes a connection that has fallen silent for lost', async () => {
    const {origin, requests} = await answering((_, response) => {
      response.writeHead(200, {'content-type': 'text/event-stream'});
      response.write(`retry: 10\n\ndata: ${requests.length}\n\n`);
    });
    const following = follow({key: {key: 'k', hmacSecret: 's'}} as Site, origin, {silenceMs: 100});
    expect((await following.next()).data).toBe(1);
    expect((await following.next()).data).toBe(2);
    expect(following.lost.map(({code}) => code)).toEqual(['SERVER_TIMEOUT']);
  });

  it('takes what is no JSON for a fault', async () => {
    const {origin} = await answering((_, response) => {
      response.writeHead(200, {'content-type': 'text/event-stream'}).write('data: {\n\n');
    });
    const following = follow({key: {key: 'k', hmacSecret: 's'}} as Site, origin);
    await expect(following.next()).rejects.toMatchObject({code: 'ANSWER_INVALID'});
  });
});
