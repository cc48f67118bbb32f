import {spawnSync} from 'node:child_process';
import {once} from 'node:events';
import {createServer, type Socket} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createClientRoom, type PaynetClient} from '../../src/lib/device/index.js';
import {openSite, type Site} from '../e2e/site.js';
import {scriptedServer} from './scripted-server.js';
import {FLOW, next} from './trace.js';

let site: Site;
beforeAll(async () => {
  site = await openSite();
});
afterAll(() => site.close());

const room = createClientRoom();

/** A signal that knows its listeners. */
class WatchedController extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const {signal} = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      this.listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      this.listeners--;
      remove(...args);
    };
  }
}

async function endsCleanly(client: PaynetClient, controller: WatchedController, ended: Promise<void>): Promise<void> {
  controller.abort();
  await ended;
  expect(controller.listeners).toBe(0);
  expect(client.online).toBe(false);
  expect(room.wheel.size).toBe(0);
}

describe('an abort', () => {
  it('before the start leaves nothing to do', async () => {
    const client = await site.client('device001', {extras: {room}});
    const controller = new WatchedController();
    controller.abort();
    await expect(client.start(controller.signal, FLOW)).rejects.toMatchObject({code: 'ABORTED'});
    await client.wait();
    expect(controller.listeners).toBe(0);
  });

  it('while it connects ends the try', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const {port} = server.address() as {port: number};
    const client = await site.client('device001', {client: {addr: `127.0.0.1:${port}`}, extras: {room}});
    const controller = new WatchedController();
    const connected = once(server, 'connection');
    const started = client.start(controller.signal, FLOW);
    const rejected = expect(started).rejects.toMatchObject({code: 'ABORTED'});
    await connected;
    await endsCleanly(client, controller, client.wait());
    await rejected;
    server.close();
    await once(server, 'close');
  });

  it('in the very moment of the handshake’s end is not missed', async () => {
    const client = await site.client('device001', {extras: {room}});
    const controller = new WatchedController();
    const {TLSSocket} = await import('node:tls');
    // Aborts within the event, before whoever waits for the dial goes on.
    const emit = TLSSocket.prototype.emit;
    TLSSocket.prototype.emit = function (this: typeof emit, name: string, ...args: unknown[]) {
      const result = Reflect.apply(emit, this, [name, ...args]);
      if (name === 'secureConnect') controller.abort();
      return result;
    } as typeof emit;
    try {
      await client.run(controller.signal, FLOW);
    } finally {
      TLSSocket.prototype.emit = emit;
    }
    expect(controller.listeners).toBe(0);
    expect(client.online).toBe(false);
    expect(room.wheel.size).toBe(0);
  });

  it('during the login ends the connection', async () => {
    let arrived = (): void => {};
    const asked = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const {cert, key} = site.serverTls;
    const port = await scriptedServer({cert, key}, () => arrived());
    const client = await site.client('device001', {client: {addr: `127.0.0.1:${port}`}, extras: {room}});
    const controller = new WatchedController();
    const ended = client.run(controller.signal, FLOW);
    await asked;
    await endsCleanly(client, controller, ended);
  });

  it('while online ends the connection', async () => {
    const client = await site.client('device001', {extras: {room}});
    const controller = new WatchedController();
    await client.start(controller.signal, FLOW);
    await endsCleanly(client, controller, client.wait());
  });

  it('in the pause ends the pause', async () => {
    const client = await site.client('device001', {
      client: {addr: '127.0.0.1:1', reconnect: {base: '1h', max: '1h'}},
      extras: {room, random: () => 0.99},
    });
    const controller = new WatchedController();
    const ended = client.run(controller.signal, FLOW);
    expect((await next(client, 'retry')).delayMs).toBeGreaterThan(3_000_000);
    await endsCleanly(client, controller, ended);
  });

  it('out of any of its own events is fine', async () => {
    for (const name of ['online', 'message', 'retry'] as const) {
      const controller = new WatchedController();
      const more = name === 'retry' ? {client: {addr: '127.0.0.1:1'}} : {};
      const client = await site.client('device001', {...more, extras: {room}});
      client.on(name, () => controller.abort());
      await client.run(controller.signal, FLOW);
      expect(controller.listeners).toBe(0);
      expect(room.wheel.size).toBe(0);
    }
  });
});

describe('a process with a client', () => {
  it('ends by itself once the client is stopped', () => {
    const script = join(import.meta.dirname, 'ending-child.ts');
    const result = spawnSync(process.execPath, ['--import', 'tsx', script, site.caFile], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    expect(result.stderr).toBe('');
    expect(result.stdout).toBe('nothing left\n');
    expect(result.status).toBe(0);
  });
});
