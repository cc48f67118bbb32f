import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it, onTestFinished} from 'vitest';
import {
  type ClientExtras,
  dispense,
  fileLedger,
  type Ledger,
  memoryLedger,
  type PaynetClient,
} from '../../src/lib/device/index.js';
import {type CoinAck, CoinCommand, CoinState, Type} from '../../src/lib/registry/index.js';
import {openSite, type Site} from '../e2e/site.js';
import {Box} from './box.js';
import {tempFolder} from './folder.js';
import {FLOW, next} from './trace.js';

let site: Site;
beforeAll(async () => {
  site = await openSite({server: {limits: {messages_per_second: 0}}});
});
afterAll(() => site.close());

const ORDER = {deviceId: 'device001', coins: 2, timeoutSeconds: 30};

/** Hands the device a CoinCommand as it would come over the wire, past the desk. */
async function command(orderId: string, more: Partial<CoinCommand> = {}): Promise<void> {
  const payload = CoinCommand.encode(CoinCommand.create({orderId, coins: 2, timeout: 30, ...more})).finish();
  await site.server.command('device001', {kind: 'raw', type: Type.coinCommand, payload});
}

/** Collects what a device acknowledges, over all its connections, and waits for something of it. */
function acks(client: PaynetClient): {seen: string[]; until(last: string, times?: number): Promise<void>} {
  const seen: string[] = [];
  client.on('message', ({direction, name, message}) => {
    if (direction !== 'sent' || name !== 'CoinAck') return;
    const {orderId, state, error} = message as CoinAck;
    seen.push(`${orderId} ${CoinState[state]}${error && ` ${error}`}`);
  });
  return {
    seen,
    async until(last, times = 1) {
      while (seen.filter((ack) => ack === last).length < times) await next(client, 'message');
    },
  };
}

/** A box that has not been started. */
async function newBox(payOut: Parameters<typeof dispense>[0], extras: ClientExtras = {}): Promise<PaynetClient> {
  const client = await site.client('device001', {extras});
  client.subscribe(0x04, dispense(payOut));
  onTestFinished(() => client.stop());
  return client;
}

async function box(payOut: Parameters<typeof dispense>[0], extras: ClientExtras = {}): Promise<PaynetClient> {
  const client = await newBox(payOut, extras);
  await client.start(undefined, FLOW);
  return client;
}

/** A payout that counts, and ends when it is let go on. */
function counted(): {orders: string[]; payOut: Parameters<typeof dispense>[0]; finish(): void} {
  const orders: string[] = [];
  let finish = (): void => {};
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  return {
    orders,
    finish: () => finish(),
    payOut: async ({orderId}) => {
      orders.push(orderId);
      await gate;
    },
  };
}

describe('an order', () => {
  it('that comes a hundred times is executed once, and each is answered', async () => {
    const {orders, payOut, finish} = counted();
    const {until} = acks(await box(payOut));
    await Promise.all(Array.from({length: 50}, () => command('h-1')));
    await until('h-1 COIN_RUNNING');
    finish();
    await until('h-1 COIN_DONE');
    await Promise.all(Array.from({length: 50}, () => command('h-1')));
    await until('h-1 COIN_DONE', 51);
    expect(orders).toEqual(['h-1']);
  });

  it('is executed once across reconnects, and its end, made while offline, is told after the login', async () => {
    const {orders, payOut, finish} = counted();
    const client = await box(payOut);
    const result = site.server.coin({...ORDER, orderId: 'r-1'});
    while (orders.length === 0) await next(client, 'message');
    for (let round = 0; round < 5; round++) {
      const online = next(client, 'online');
      client.drop();
      if (round === 4) finish();
      await online;
      await command('r-1');
    }
    expect(await result).toMatchObject({state: 'done', progress: 100});
    expect(orders).toEqual(['r-1']);
  });

  it('that comes again while the old connection is still storing it is executed once', async () => {
    const slow = new SlowPuts();
    const {orders, payOut, finish} = counted();
    const client = await box(payOut, {ledger: slow});
    const {seen, until} = acks(client);
    await command('s-1');
    await slow.asked();
    const online = next(client, 'online');
    client.drop();
    await online;
    await command('s-1');
    await command('s-1');
    // The answer of the server comes after the commands: they have been heard, and nothing is stored.
    await client.query('s-1');
    expect(seen).toEqual([]);
    slow.release();
    finish();
    await until('s-1 COIN_DONE');
    expect(orders).toEqual(['s-1']);
  });

  it('is answered from the ledger after a restart of the device, and not executed', async () => {
    const path = join(await tempFolder(), 'ledger');
    const first = await fileLedger(path);
    const before = counted();
    before.finish();
    const client = await box(before.payOut, {ledger: first});
    expect(await site.server.coin({...ORDER, orderId: 'l-1'})).toMatchObject({state: 'done'});
    await client.stop();
    await first.close();
    const second = await fileLedger(path);
    const after = counted();
    const again = await box(after.payOut, {ledger: second});
    const {seen, until} = acks(again);
    await command('l-1');
    await until('l-1 COIN_DONE');
    expect(seen).toEqual(['l-1 COIN_DONE']);
    const answer = await site.server.command('device001', {kind: 'queryOrder', orderId: 'l-1', timeoutMs: 5000});
    expect(answer).toMatchObject({found: true, state: 'done', progress: 100, certain: true});
    expect(after.orders).toEqual([]);
    await again.stop();
    await second.close();
  });

  it('is failed when the device cannot remember it, always, and never executed', async () => {
    const {orders, payOut} = counted();
    const ledger: Ledger = {...memoryLedger(), put: () => Promise.reject(new Error('disk full'))};
    const {seen, until} = acks(await box(payOut, {ledger}));
    expect(await site.server.coin({...ORDER, orderId: 'f-1'})).toMatchObject({
      state: 'failed',
      error: 'the device cannot remember orders: disk full',
    });
    for (let n = 0; n < 3; n++) await command('f-1');
    await until('f-1 COIN_FAILED the device cannot remember orders: disk full', 4);
    expect(new Set(seen).size).toBe(1);
    expect(orders).toEqual([]);
  });

  it('is failed by a handler that throws, and by there being none', async () => {
    const client = await box(async () => {
      throw new Error(`coin jam${'!'.repeat(100_000)}`);
    });
    const jam = await site.server.coin({...ORDER, orderId: 't-1'});
    expect(jam).toMatchObject({state: 'failed', error: expect.stringMatching(/^coin jam!+…$/)});
    await client.stop();

    const thrower = await site.client('device001');
    thrower.subscribe(0x04, () => {
      throw new Error('sync');
    });
    await thrower.start(undefined, FLOW);
    expect(await site.server.coin({...ORDER, orderId: 't-2'})).toMatchObject({state: 'failed', error: 'sync'});
    await thrower.stop();

    const bare = await site.client('device001');
    await bare.start(undefined, FLOW);
    expect(await site.server.coin({...ORDER, orderId: 't-3'})).toMatchObject({
      state: 'failed',
      error: 'this device has no coin handler',
    });
    await bare.stop();
  });

  it('ends at its time, on both sides', async () => {
    await box(({signal}) => {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    const order = await site.server.coin({...ORDER, orderId: 'e-1', timeoutSeconds: 1});
    // Whoever is first: the device's own words, or the server's.
    expect(order).toMatchObject({state: 'failed', error: expect.stringMatching(/within 1 s$/)});
  });

  it('of no coins, or without a number, is refused and leaves the connection as it is', async () => {
    const {orders, payOut, finish} = counted();
    const client = await box(payOut);
    const {until} = acks(client);
    await command('');
    await command('z-1', {coins: 0});
    await command('z-2', {coins: 2 ** 32 - 1, timeout: 2 ** 32 - 1});
    await until('z-2 COIN_RUNNING');
    expect(orders).toEqual(['z-2']);
    expect(client.online).toBe(true);
    finish();
    await until('z-2 COIN_DONE');
  });

  it('is told one end only: a contradicting ack is not sent', async () => {
    const client = await site.client('device001');
    client.subscribe(0x04, async (context, {orderId}) => {
      for (const state of [1, 2, 3, 1, 0]) context.send('CoinAck', {orderId, state, progress: 10});
    });
    const {until, seen} = acks(client);
    await client.start(undefined, FLOW);
    await command('c-1');
    await until('c-1 COIN_DONE');
    await command('c-2');
    await until('c-2 COIN_DONE');
    expect(seen.filter((ack) => ack.startsWith('c-1'))).toEqual([
      'c-1 COIN_ACCEPTED',
      'c-1 COIN_RUNNING',
      'c-1 COIN_DONE',
    ]);
    await client.stop();
  });

  it('is not begun any more by a client that was stopped while it was stored', async () => {
    const slow = new SlowPuts();
    const {orders, payOut} = counted();
    const client = await box(payOut, {ledger: slow});
    await command('x-1');
    await slow.asked();
    await client.stop();
    slow.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(orders).toEqual([]);
    const again = await newBox(payOut, {ledger: slow});
    const {until} = acks(again);
    await Promise.all([until('x-1 COIN_FAILED interrupted by a restart at 0 %'), again.start(undefined, FLOW)]);
    expect(orders).toEqual([]);
  });
});

describe('a box that loses its power', () => {
  it('while coins drop does not pay again: the order has failed, and it says why', async () => {
    const lives = new Box(site, await tempFolder());
    await lives.start();
    const result = site.server.coin({...ORDER, coins: 4, orderId: 'p-1'});
    await lives.drop();
    await lives.drop();
    await lives.kill();
    await lives.start();
    expect(await result).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^interrupted by a restart at (0|25|50) %$/),
    });
    await command('p-1', {coins: 4});
    const answer = await site.server.command('device001', {kind: 'queryOrder', orderId: 'p-1', timeoutMs: 5000});
    expect(answer).toMatchObject({found: true, state: 'failed'});
    expect(await lives.coins()).toEqual(['p-1 1', 'p-1 2']);
  });

  it('after the last coin has paid once, whatever it had time to say', async () => {
    const lives = new Box(site, await tempFolder());
    await lives.start();
    const result = site.server.coin({...ORDER, coins: 1, orderId: 'p-2'});
    await lives.drop();
    await lives.kill();
    await lives.start();
    expect((await result).state).toMatch(/^(done|failed)$/);
    expect(await lives.coins()).toEqual(['p-2 1']);
  });
});

/** A ledger whose puts wait until they are let go. */
class SlowPuts implements Ledger {
  readonly #inner = memoryLedger();
  #release: (() => void) | undefined;
  #asked: (() => void) | undefined;
  #gate: Promise<void> | undefined = new Promise((resolve) => {
    this.#release = resolve;
  });
  readonly #first = new Promise<void>((resolve) => {
    this.#asked = resolve;
  });

  get = this.#inner.get;
  entries = this.#inner.entries;
  close = this.#inner.close;

  async put(entry: Parameters<Ledger['put']>[0]): Promise<void> {
    this.#asked?.();
    await this.#gate;
    await this.#inner.put(entry);
  }

  asked(): Promise<void> {
    return this.#first;
  }

  release(): void {
    this.#gate = undefined;
    this.#release?.();
  }
}
