import {describe, expect, it, vi} from 'vitest';
import type {CommandAnswer} from '../../src/lib/link/index.js';
import {CoinCommand, type Handler, MessageRegistry, ResultCode, Type} from '../../src/lib/registry/index.js';
import {Refusal} from '../../src/lib/session/index.js';
import {counted, type Gate, openGate} from './gate.js';

const ask = (gate: Gate, orderId: string, timeoutMs = 60_000): Promise<CommandAnswer | undefined> =>
  gate.server.command('device001', {kind: 'queryOrder', orderId, timeoutMs});

describe('a question of the server about an order', () => {
  const answers: [string, object, object][] = [
    [
      'ACCEPTED from a device that knows the new field',
      {state: 0, progress: 0, code: 0},
      {found: true, state: 'accepted', certain: true},
    ],
    [
      'ACCEPTED from an older one, which proves nothing',
      {state: 0, progress: 0},
      {found: true, state: 'accepted', certain: false},
    ],
    ['ACCEPTED with progress', {state: 0, progress: 7}, {found: true, progress: 7, certain: true}],
    ['RUNNING', {state: 1, progress: 40}, {found: true, state: 'running', progress: 40, certain: true}],
    ['DONE', {state: 2, progress: 100}, {found: true, state: 'done', certain: true}],
    ['FAILED', {state: 3, progress: 10, error: 'jam'}, {found: true, state: 'failed', error: 'jam', certain: true}],
    ['not found', {state: 0, progress: 0, code: 6}, {found: false}],
  ];
  it.each(answers)('is answered by %s, as 0x05 or as 0x85', async (_, answer, result) => {
    const gate = await openGate();
    const client = await gate.device('device001');
    for (const type of [Type.query, Type.queryRsp]) {
      const asked = ask(gate, 'o-1');
      expect(await client.hear('QueryReq')).toMatchObject({orderId: 'o-1'});
      const {codec} = new MessageRegistry().lookup(Type.queryRsp, 'up')!;
      client.frame(type, codec.encode({orderId: 'o-1', error: '', ...answer}));
      expect(await asked).toMatchObject(result);
    }
  });

  it('is answered by an ErrorMsg that says "order not found"', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const asked = ask(gate, 'o-1');
    await client.hear('QueryReq');
    client.say('ErrorMsg', {code: ResultCode.FAILED, msg: 'something else'});
    client.say('ErrorMsg', {code: ResultCode.ORDER_NOT_FOUND, msg: ''});
    expect(await asked).toEqual({found: false});
  });

  it('does not take a question about another order for the answer', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const asked = ask(gate, 'o-1');
    await client.hear('QueryReq');
    client.say('QueryReq', {orderId: 'o-2'});
    expect(await client.hear('QueryRsp')).toMatchObject({orderId: 'o-2', code: ResultCode.ORDER_NOT_FOUND});
    client.say('QueryRsp', {orderId: 'o-1', state: 2, progress: 100, error: ''});
    expect(await asked).toMatchObject({state: 'done'});
    // After the answer the same bytes are a question again.
    client.say('QueryReq', {orderId: 'o-1'});
    expect(await client.hear('QueryRsp')).toMatchObject({orderId: 'o-1'});
  });

  it.each([
    ['state 99', {state: 99, progress: 0}],
    ['progress 101', {state: 1, progress: 101}],
  ])('refuses an answer with %s', async (_, answer) => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const asked = ask(gate, 'o-1');
    await client.hear('QueryReq');
    client.say('QueryRsp', {orderId: 'o-1', error: '', ...answer});
    await expect(asked).rejects.toMatchObject({code: 'ANSWER_INVALID'});
    await client.alive();
  });

  it('ends in time, or with the connection', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    await expect(ask(gate, 'o-1', 100)).rejects.toMatchObject({code: 'QUERY_TIMEOUT'});
    const asked = expect(ask(gate, 'o-2')).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
    await client.hear('QueryReq');
    await client.hear('QueryReq');
    client.destroy();
    await asked;
    await gate.untilEvent('disconnected');
    await expect(ask(gate, 'o-3')).rejects.toMatchObject({code: 'DEVICE_OFFLINE'});
  });

  it('that does not fit into a frame is refused, and nothing waits for its answer', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    await expect(ask(gate, 'x'.repeat(70_000), 50)).rejects.toMatchObject({code: 'FRAME_TOO_LONG'});
    // The time of an answer passes: nobody must miss it.
    await expect(ask(gate, 'o-1', 150)).rejects.toMatchObject({code: 'QUERY_TIMEOUT'});
    await client.hear('QueryReq');
    await client.alive();
  });
});

describe('a question of the device', () => {
  it.each([
    [0x05, Type.query],
    [0x85, Type.queryRsp],
  ])('is answered with the type that is configured (%i)', async (query_rsp_type, type) => {
    const gate = await openGate({server: {query_rsp_type}});
    const client = await gate.device('device001');
    client.say('QueryReq', {orderId: 'o-1'});
    expect((await client.next())?.type).toBe(type);
  });

  it('is understood by the device SDK in either form', async () => {
    const hooks = {order: () => ({state: 'running', progress: 40, error: ''}) as const};
    for (const query_rsp_type of [0x05, 0x85]) {
      const gate = await openGate({server: {query_rsp_type}, extras: {hooks}});
      const client = await gate.client('device001');
      await client.start(undefined, {login: {deviceId: 'device001'}});
      expect(await client.query('o-1')).toMatchObject({orderId: 'o-1', state: 1, progress: 40, code: 0});
    }
  });
});

describe('a command', () => {
  it('with a value that its field cannot hold is refused before it is written', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const coin = {kind: 'coin', orderId: 'o-1', coins: 1, timeoutSeconds: 1} as const;
    for (const wrong of [{coins: 2 ** 32}, {coins: -1}, {coins: 1.5}, {timeoutSeconds: Number.NaN}]) {
      await expect(gate.server.command('device001', {...coin, ...wrong})).rejects.toThrow(RangeError);
    }
    const raw = {kind: 'raw', payload: Buffer.of()} as const;
    for (const type of [-1, 256, 0x104, 1.5]) {
      await expect(gate.server.command('device001', {...raw, type})).rejects.toThrow(RangeError);
    }
    await expect(gate.server.command('device001', {...raw, type: 1, payload: Buffer.alloc(65_535)})).rejects.toThrow(
      /over the limit/,
    );
    await expect(gate.server.command('device001', {kind: 'stopCharge', port: 1})).rejects.toMatchObject({
      code: 'COMMAND_UNSUPPORTED',
    });
    await client.alive();
  });
});

describe('a handler', () => {
  const mine = {type: 0x40, direction: 'up', name: 'Mine', codec: CoinCommand} as const;
  const message = (coins: number): Uint8Array => CoinCommand.encode(CoinCommand.create({orderId: 'm', coins})).finish();

  it.each<[string, () => unknown, ResultCode, RegExp]>([
    [
      'that throws',
      () => {
        throw new Error('a secret');
      },
      ResultCode.FAILED,
      /^Mine could not be handled$/,
    ],
    ['that rejects', () => Promise.reject(new Error('a secret')), ResultCode.FAILED, /^Mine could not be handled$/],
    [
      'that throws no error',
      () => {
        throw undefined;
      },
      ResultCode.FAILED,
      /^Mine could not be handled$/,
    ],
    [
      'that refuses',
      () => {
        throw new Refusal(ResultCode.PARAM_ERROR, 'not so');
      },
      ResultCode.PARAM_ERROR,
      /^not so$/,
    ],
    [
      'of another promise',
      // biome-ignore lint/suspicious/noThenProperty: a promise of another make
      () => ({then: (_: unknown, reject: (error: Error) => void) => reject(new Error('a secret'))}),
      ResultCode.FAILED,
      /Mine/,
    ],
  ])('%s is answered, and the next message is handled', async (_, work, code, text) => {
    const registry = new MessageRegistry();
    let calls = 0;
    const handler = (() => (calls++ === 0 ? work() : undefined)) as Handler<CoinCommand>;
    registry.mustRegister({...mine, handler});
    const gate = await openGate({extras: {registry}});
    const client = await gate.device('device001');
    client.frame(0x40, message(1));
    client.frame(0x40, message(2));
    expect(await client.hearError()).toMatchObject({code, msg: text});
    await vi.waitFor(() => expect(calls).toBe(2));
    await client.alive();
    expect(gate.counters.handlerErrors).toBe(code === ResultCode.FAILED ? 1 : 0);
  });

  it('may return anything: only a promise holds the next message back', async () => {
    const registry = new MessageRegistry();
    const seen: number[] = [];
    registry.mustRegister({...mine, handler: ((_: unknown, {coins}: CoinCommand) => seen.push(coins)) as never});
    const gate = await openGate({extras: {registry}});
    const client = await gate.device('device001');
    for (const coins of [1, 2, 3]) client.frame(0x40, message(coins));
    await client.alive();
    expect([seen, gate.counters.handlerErrors]).toEqual([[1, 2, 3], 0]);
  });

  it('is given the messages of a device in order, one at a time, and may answer', async () => {
    const registry = new MessageRegistry();
    let busy = false;
    registry.mustRegister({
      ...mine,
      async handler(context, {coins}) {
        expect(busy).toBe(false);
        busy = true;
        await new Promise<void>((resolve) => setImmediate(resolve));
        busy = false;
        context.attributes.set('sum', ((context.attributes.get('sum') as number) ?? 0) + coins);
        context.send('CoinCommand', {
          orderId: context.deviceId,
          coins: context.attributes.get('sum') as number,
          timeout: 1,
        });
      },
    });
    const gate = await openGate({extras: {registry}});
    const client = await gate.device('device001');
    for (const coins of [1, 2, 3, 4]) client.frame(0x40, message(coins));
    for (const coins of [1, 3, 6, 10])
      expect(await client.hear('CoinCommand')).toMatchObject({orderId: 'device001', coins});
    expect(gate.counters.handlerErrors).toBe(0);
  });

  it('whose answer comes when the device has left is not a failed one', async () => {
    const registry = new MessageRegistry();
    let leave = (): void => undefined;
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    let outcome: Promise<void> | undefined;
    registry.mustRegister({
      ...mine,
      handler(context) {
        outcome = left.then(() => context.send('CoinCommand', {orderId: 'o', coins: 1, timeout: 1}));
        return outcome;
      },
    });
    const gate = await openGate({extras: {registry}});
    const client = await gate.device('device001');
    client.frame(0x40, message(1));
    await client.alive();
    client.destroy();
    await gate.untilEvent('disconnected');
    leave();
    await expect(outcome).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
    await vi.waitFor(async () => expect(await gate.server.metrics.text()).toMatch(/^paynet_dispatcher_running 0$/m));
    expect(gate.counters.handlerErrors).toBe(0);
    expect(gate.lines.filter(({level}) => level === 'error')).toEqual([]);
  });

  it('of any slowness, behind every limit at once, gets every message in order', async () => {
    const registry = new MessageRegistry();
    const seen = new Map<string, number[]>();
    registry.mustRegister({
      ...mine,
      handler({deviceId}, {coins}) {
        const mineSeen = seen.get(deviceId) ?? [];
        seen.set(deviceId, mineSeen);
        mineSeen.push(coins);
        if (coins % 3 === 0) return undefined;
        return new Promise((resolve) => (coins % 3 === 1 ? setImmediate(resolve) : setTimeout(resolve, 2)));
      },
    });
    const gate = await openGate({
      extras: {registry},
      config: {dispatcher: {workers: 2, queue: 3}},
      server: {heartbeat_expect: '500ms', limits: {messages_per_second: 100, message_burst: 30}},
    });
    const names = ['device001', 'device002', 'device003', 'device004'];
    const clients = await Promise.all(names.map((name) => gate.device(name)));
    const numbers = Array.from({length: 120}, (_, index) => index);
    for (const client of clients) {
      // All in one piece, with questions between that are answered in their turn.
      for (const coins of numbers) client.frame(0x40, message(coins));
      client.say('QueryReq', {orderId: 'last'});
    }
    for (const client of clients) expect(await client.hear('QueryRsp')).toMatchObject({orderId: 'last'});
    for (const name of names) expect(seen.get(name)).toEqual(numbers);
    expect(counted(gate.server, 'closed')).toEqual({});
  });

  it('that never ends holds up its own device alone, whose heartbeats go on, and not the stop', async () => {
    const registry = new MessageRegistry();
    registry.mustRegister({...mine, handler: () => new Promise<void>(() => undefined)});
    const gate = await openGate({extras: {registry}, config: {dispatcher: {workers: 2, queue: 10}}});
    const stuck = await gate.device('device001');
    const other = await gate.device('device002');
    for (const coins of [1, 2, 3]) stuck.frame(0x40, message(coins));
    await stuck.alive();
    other.say('QueryReq', {orderId: 'o-1'});
    await other.hear('QueryRsp');
    stuck.destroy();
    await gate.untilEvent('disconnected');
    await gate.server.stop();
    expect(gate.server.isListening).toBe(false);
  });

  it("that is slow stops the reading, loses nothing, and holds up nobody else's heartbeat", async () => {
    const registry = new MessageRegistry();
    const seen: number[] = [];
    let open = (): void => undefined;
    const gateway = new Promise<void>((resolve) => {
      open = resolve;
    });
    registry.mustRegister({
      ...mine,
      async handler(_, {coins}) {
        await gateway;
        seen.push(coins);
      },
    });
    const gate = await openGate({
      extras: {registry},
      config: {dispatcher: {workers: 1, queue: 4}},
      server: {heartbeat_expect: '300ms', limits: {messages_per_second: 0}},
    });
    const flooding = await gate.device('device001');
    const other = await gate.device('device002');
    const numbers = Array.from({length: 500}, (_, index) => index);
    for (const coins of numbers) flooding.frame(0x40, message(coins));
    other.frame(0x40, message(1000));
    // Three heartbeat limits pass; those who wait for a handler are not silent.
    const beat = setInterval(() => other.frame(Type.ping), 100);
    for (let pong = 0; pong < 10; pong++) await other.hear('Pong');
    clearInterval(beat);
    const text = await gate.server.metrics.text();
    const waiting = Number(/^paynet_dispatcher_waiting (\d+)$/m.exec(text)?.[1]);
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThanOrEqual(4 + 2);
    open();
    await vi.waitFor(() => expect(seen).toHaveLength(501));
    expect(seen.filter((coins) => coins < 1000)).toEqual(numbers);
    expect(counted(gate.server, 'closed')).toEqual({});
  });
});

describe('a listener of the server that throws', () => {
  it('does not end the process, nor the connection', async () => {
    const gate = await openGate();
    gate.server.on('device', (event) => {
      throw new Error(`cannot bear ${event.kind}`);
    });
    const client = await gate.dial('device001');
    client.say('LoginReq', {deviceId: 'device001', token: '', version: ''});
    await client.hear('LoginRsp');
    await gate.untilLine('a listener failed', 1);
    await client.alive();
    expect(gate.server.isOnline('device001')).toBe(true);
    client.destroy();
    // The login, the heartbeat and the end.
    await gate.untilLine('a listener failed', 3);
    await vi.waitFor(() => expect(gate.counters.connections).toBe(0));
  });
});
