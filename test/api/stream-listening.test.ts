import {once} from 'node:events';
import {createServer, get, type IncomingMessage} from 'node:http';
import type {AddressInfo} from 'node:net';
import {expect, it, onTestFinished} from 'vitest';
import type {Change} from '../../src/lib/api/index.js';
import {createStream} from '../../src/lib/api/stream.js';

const LIMITS = {streams: 10, backlogBytes: 100_000, kept: 100, heartbeatMs: 60_000};

/** A stream over HTTP whose listening can be watched. */
async function startStream(lingerMs: number) {
  const listeners = new Set<(change: Change) => void>();
  let sleep = (): void => {};
  const asleep = new Promise<void>((resolve) => {
    sleep = resolve;
  });
  const subscribe = (changed: (change: Change) => void) => {
    listeners.add(changed);
    return () => {
      listeners.delete(changed);
      sleep();
    };
  };
  const stream = createStream(subscribe, LIMITS, lingerMs);
  const server = createServer((request, response) => {
    stream.open(response, request.headers['last-event-id'] as string | undefined, async () => true);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    stream.close();
    server.closeAllConnections();
    server.close();
  });
  const {port} = server.address() as AddressInfo;
  return {
    listeners,
    asleep,
    tell(orderNo: string) {
      for (const changed of listeners) changed({kind: 'order', data: {orderNo}});
    },
    async read(lastEventId?: string): Promise<IncomingMessage> {
      const headers = lastEventId === undefined ? {} : {'last-event-id': lastEventId};
      const [response] = (await once(get({port, host: '127.0.0.1', headers}), 'response')) as [IncomingMessage];
      return response.setEncoding('utf8');
    },
  };
}

async function until(response: IncomingMessage, wanted: string): Promise<string> {
  let got = '';
  while (!got.includes(wanted)) got += (await once(response, 'data'))[0] as string;
  return got;
}

it('listens only while there is a reader, and a while longer', async () => {
  const {listeners, asleep, read} = await startStream(1);
  expect(listeners.size).toBe(0);
  const first = await read();
  const second = await read();
  expect(listeners.size).toBe(1);
  first.destroy();
  second.destroy();
  await asleep;
  expect(listeners.size).toBe(0);
});

it('says to a reader from before that it does not know what happened meanwhile', async () => {
  const {asleep, read, tell} = await startStream(1);
  const first = await read();
  tell('A-1');
  const seen = /id: (\S+)/.exec(await until(first, 'A-1'))?.[1];
  first.destroy();
  await asleep;
  const text = await until(await read(seen), 'reset');
  expect(text).not.toContain(seen);
});

it('keeps what happens until the last reader is back', async () => {
  const {listeners, read, tell} = await startStream(60_000);
  const first = await read();
  tell('A-1');
  const seen = /id: (\S+)/.exec(await until(first, 'A-1'))?.[1];
  first.destroy();
  tell('A-2');
  expect(listeners.size).toBe(1);
  const text = await until(await read(seen), 'A-2');
  expect(text).not.toContain('reset');
});
