import {describe, expect, it, vi} from 'vitest';
import {chooseAdapter, type Driver, type ProtocolAdapter} from '../../src/lib/link/adapter.js';
import {Type} from '../../src/lib/registry/index.js';
import type {CloseReason, Connection} from '../../src/lib/session/index.js';
import {openGateway} from './gateway.js';
import {RawClient} from './raw-client.js';

interface Echo extends ProtocolAdapter {
  closings: CloseReason[];
}

/** A protocol that begins with three known bytes and answers every chunk with the same chunk. */
function echo(magic: readonly number[]): Echo {
  const closings: CloseReason[] = [];
  return {
    name: 'echo',
    closings,
    sniff(prefix) {
      if (magic.slice(0, prefix.length).some((byte, index) => byte !== prefix[index])) return 'no';
      return prefix.length >= magic.length ? 'yes' : 'need more';
    },
    open(connection: Connection, peer): Driver {
      return {
        connection,
        peer,
        protocol: 'echo',
        deviceId: '',
        supports: new Set(),
        feed: (chunk) => connection.outgoing.bytes(connection, chunk),
        resume() {},
        expired() {},
        closed: (reason) => closings.push(reason),
        command: () => Promise.reject(new Error('none')),
        dismiss: (reason) => connection.close(reason),
      };
    },
  };
}

const magic = [0xfc, 0xfe, 0x01];

/** A raw client whose answers are bytes, not frames. */
async function dialBytes(gateway: {
  port: number;
  pair(cn: string): Promise<object>;
}): Promise<{client: RawClient; bytes: () => Buffer}> {
  const client = RawClient.open(gateway.port, await gateway.pair('device001'), {
    length: 'payload',
    maxFrame: 0xffff_ffff,
  });
  const chunks: Buffer[] = [];
  client.socket.on('data', (chunk) => chunks.push(chunk));
  return {client, bytes: () => Buffer.concat(chunks)};
}

describe('the first bytes', () => {
  it('choose the protocol, each connection its own', async () => {
    const adapter = echo(magic);
    const gateway = await openGateway({adapters: [adapter]});
    const paynet = await RawClient.dial(gateway.port, await gateway.pair('device002'));
    await paynet.login('device002');
    const {client, bytes} = await dialBytes(gateway);
    const said = Buffer.from([...magic, 4, 5, 6]);
    client.write(said);
    await vi.waitFor(() => expect(bytes()).toEqual(said));
    client.destroy();
    await vi.waitFor(() => expect(adapter.closings).toEqual(['peer_closed']));
    await paynet.alive();
    paynet.destroy();
  });

  it('may come one by one, and none of them is lost', async () => {
    const gateway = await openGateway({adapters: [echo(magic)]});
    const {client, bytes} = await dialBytes(gateway);
    client.socket.setNoDelay(true);
    for (const byte of magic) {
      client.write(Buffer.of(byte));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await vi.waitFor(() => expect(bytes()).toEqual(Buffer.from(magic)));
    const paynet = await RawClient.dial(gateway.port, await gateway.pair('device002'));
    for (const byte of [0, 0, 0, 1, Type.ping]) paynet.write(Buffer.of(byte));
    await paynet.hear('Pong');
    for (const one of [client, paynet]) one.destroy();
  });

  it.each([
    ['of no protocol', [0xff, 0xff, 0xff, 0xff]],
    ['that turn out to be of none', [0xfc, 0xfe, 0x02]],
    ['of a web browser', [...Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['of a frame of an unknown type', [0, 0, 0, 1, 0x40]],
  ])('%s close the connection', async (_, bytes) => {
    const gateway = await openGateway({adapters: [echo(magic)]});
    const {client, bytes: heard} = await dialBytes(gateway);
    client.write(Buffer.from(bytes));
    await client.closed;
    expect(heard()).toHaveLength(0);
    await gateway.closedAll();
    expect(Object.fromEntries(gateway.counters.closed.entries())).toMatchObject({protocol_unknown: 1});
    expect(gateway.lines).toContain('a connection speaks no known protocol');
  });

  it('that do not come end at the login limit', async () => {
    const gateway = await openGateway({adapters: [echo(magic)], server: {login_timeout: '100ms'}});
    const {client} = await dialBytes(gateway);
    client.socket.once('secureConnect', () => client.write(Buffer.of(0xfc)));
    await client.closed;
    await gateway.closedAll();
    expect(Object.fromEntries(gateway.counters.closed.entries())).toMatchObject({login_timeout: 1});
  });
});

describe('choosing', () => {
  const a = echo([1, 2, 3]);
  const b = echo([1, 2]);
  it.each([
    [[1], 'need more'],
    // The first could still be meant, and goes first.
    [[1, 2], 'need more'],
    [[1, 2, 3], a],
    [[1, 2, 4], b],
    [[2], undefined],
  ])('%j', (bytes, chosen) => {
    expect(chooseAdapter([a, b], Buffer.from(bytes))).toBe(chosen);
  });
});
