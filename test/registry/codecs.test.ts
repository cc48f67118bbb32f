import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  CoinAck,
  type Direction,
  type MessageDefinition,
  MessageRegistry,
  QueryReq,
  releaseReader,
} from '../../src/lib/registry/index.js';

const registry = new MessageRegistry();
const all = registry.list();
const named = (name: string, direction: Direction): MessageDefinition => {
  const definition = registry.byName(name, direction);
  if (definition === undefined) throw new Error(`${name} is not registered`);
  return definition;
};
const encode = (name: string, direction: Direction, message: object): Uint8Array =>
  named(name, direction).codec.encode(message);

describe('encoding', () => {
  const coin = {orderId: 'o-1', coins: 1, timeout: 60};
  const wrong: unknown[] = [-1, 1.5, 2 ** 32, '7', Number.NaN, Number.POSITIVE_INFINITY, undefined, null, 1n];

  it.each(wrong.map((value) => [String(value), value]))('refuses %s where 32 bits are', (_, value) => {
    // JSON has no bigint, and the error's text must not fail over that.
    expect(() => encode('CoinCommand', 'down', {...coin, coins: value})).toThrow(RangeError);
    expect(() => encode('CoinCommand', 'down', {...coin, timeout: value})).toThrow(/timeout must be a whole number/);
    expect(() => encode('CoinAck', 'up', {...CoinAck.create(), progress: value})).toThrow(/progress/);
    expect(() => encode('QueryRsp', 'down', {...CoinAck.create(), state: value})).toThrow(/state/);
    expect(() => encode('ErrorMsg', 'down', {code: value, msg: ''})).toThrow(/code/);
    expect(() => encode('Ping', 'up', {timestamp: 0, uptime: value, signal: 0, ip: ''})).toThrow(/uptime/);
  });

  it('takes the ends of the ranges as they are', () => {
    const {codec} = named('CoinCommand', 'down');
    const highest = {...coin, coins: 2 ** 32 - 1, timeout: 0};
    const payload = codec.encode(highest);
    expect(codec.decode(payload, 0, payload.length)).toMatchObject(highest);
    const ping = {timestamp: Number.MAX_SAFE_INTEGER, uptime: 0, signal: -(2 ** 31), ip: ''};
    const beat = encode('Ping', 'up', ping);
    expect(named('Ping', 'up').codec.decode(beat, 0, beat.length)).toMatchObject(ping);
  });

  it('refuses a time of more than 2^53 - 1 and a signal outside its 32 bits', () => {
    const ping = {timestamp: 0, uptime: 0, signal: 0, ip: ''};
    expect(() => encode('Ping', 'up', {...ping, timestamp: 2 ** 53})).toThrow(/timestamp/);
    expect(() => encode('Ping', 'up', {...ping, timestamp: -1})).toThrow(/timestamp/);
    expect(() => encode('Ping', 'up', {...ping, signal: 2 ** 31})).toThrow(/signal/);
    expect(() => encode('Ping', 'up', {...ping, signal: -(2 ** 31) - 1})).toThrow(/signal/);
    expect(() => encode('Pong', 'down', {timestamp: 0.5})).toThrow(/timestamp/);
  });
});

describe('decoding', () => {
  it('refuses a field that reaches past its payload into the next frame of the chunk', () => {
    const {codec} = named('QueryReq', 'up');
    // Field 1, a string of 6 bytes, of which 3 are in this payload.
    const chunk = Buffer.concat([Buffer.of(0x0a, 6), Buffer.from('abc'), Buffer.from('DEFGH')]);
    expect(() => codec.decode(chunk, 0, 5)).toThrow(/past the end/);
    expect(codec.decode(chunk, 0, 8)).toEqual(QueryReq.create({orderId: 'abcDEF'}));
    releaseReader();
  });

  it('refuses a number that is cut by the end of its payload', () => {
    const {codec} = named('Ping', 'up');
    const chunk = Buffer.of(0x08, 0x80, 0x01);
    expect(() => codec.decode(chunk, 0, 2)).toThrow();
    expect(codec.decode(chunk, 0, 3)).toMatchObject({timestamp: 128});
  });

  it('refuses a time that a number cannot hold, instead of rounding it', () => {
    const {codec} = named('Ping', 'up');
    const chunk = Buffer.of(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
    expect(() => codec.decode(chunk, 0, chunk.length)).toThrow(/MAX_SAFE_INTEGER/);
  });

  it('survives groups in groups in groups', () => {
    const {codec} = named('CoinAck', 'up');
    const deep = Buffer.alloc(65_000, 0x7b);
    expect(() => codec.decode(deep, 0, deep.length)).toThrow();
    const closed = Buffer.concat([Buffer.alloc(30_000, 0x7b), Buffer.alloc(30_000, 0x7c)]);
    expect(() => codec.decode(closed, 0, closed.length)).toThrow();
  });

  it('never crashes, hangs or reads its neighbours, whatever the bytes are', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...all),
        fc.uint8Array({maxLength: 64}),
        fc.uint8Array({maxLength: 64}),
        fc.uint8Array({maxLength: 64}),
        ({codec}, before, payload, after) => {
          const outcome = (source: Uint8Array, start: number, end: number): unknown => {
            try {
              return codec.decode(source, start, end);
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
              return 'refused';
            } finally {
              releaseReader();
            }
          };
          const alone = outcome(payload, 0, payload.length);
          const chunk = Buffer.concat([before, payload, after]);
          expect(outcome(chunk, before.length, before.length + payload.length)).toEqual(alone);
        },
      ),
      {numRuns: 3000},
    );
  });

  it('reads what it wrote, one message after another out of one chunk', () => {
    const ack = fc.record({
      orderId: fc.string({unit: 'grapheme'}),
      state: fc.integer({min: 0, max: 2 ** 31 - 1}),
      progress: fc.integer({min: 0, max: 2 ** 32 - 1}),
      error: fc.string(),
    });
    const {codec} = named('CoinAck', 'up');
    fc.assert(
      fc.property(fc.array(ack, {maxLength: 5}), (acks) => {
        const payloads = acks.map((one) => codec.encode(one));
        const chunk = Buffer.concat(payloads);
        let at = 0;
        const read = payloads.map(({length}) => {
          at += length;
          return codec.decode(chunk, at - length, at);
        });
        releaseReader();
        expect(read).toEqual(acks.map((one) => CoinAck.create(one)));
      }),
    );
  });
});
