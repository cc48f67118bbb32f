import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  type Codec,
  CoinCommand,
  type Direction,
  isReservedType,
  type MessageDefinition,
  MessageRegistry,
  typeText,
} from '../../src/lib/registry/index.js';

const bytes: Codec<Uint8Array> = {
  encode: (message) => message,
  decode: (source, start, end) => source.slice(start, end),
};

/** A registration of 0x40 up, changed in what a test is about. */
const mine = (change: object = {}) => ({
  type: 0x40,
  direction: 'up' as Direction,
  name: 'Mine',
  codec: bytes,
  ...change,
});

describe('a registry', () => {
  it('knows the messages of the deployed protocol by type and direction', () => {
    const registry = new MessageRegistry();
    const told = (direction: Direction): string[] =>
      registry
        .list()
        .filter((definition) => definition.direction === direction)
        .map(({type, name}) => `${typeText(type)} ${name}`);
    expect(told('up')).toEqual([
      '0x01 RegisterReq',
      '0x02 LoginReq',
      '0x03 Ping',
      '0x05 QueryReq',
      '0x84 CoinAck',
      '0x85 QueryRsp',
      '0xFF ErrorMsg',
    ]);
    expect(told('down')).toEqual([
      '0x03 Pong',
      '0x04 CoinCommand',
      '0x05 QueryReq',
      '0x81 RegisterRsp',
      '0x82 LoginRsp',
      '0x85 QueryRsp',
      '0xFF ErrorMsg',
    ]);
  });

  it.each<[string, object, string, RegExp]>([
    ['a built-in type', {type: 0x01}, 'TYPE_TAKEN', /0x01 up is RegisterReq already/],
    ['a built-in name', {name: 'Ping'}, 'NAME_TAKEN', /Ping is registered up already/],
    ['the error type', {type: 0xff}, 'TYPE_TAKEN', /ErrorMsg/],
    ['a type reserved for diagnostics', {type: 0xf0}, 'TYPE_RESERVED', /0xF0 is reserved/],
    ['the last reserved type', {type: 0xfe}, 'TYPE_RESERVED', /0xFE is reserved/],
    ['a negative type', {type: -1}, 'TYPE_INVALID', /not -1/],
    ['a type over a byte', {type: 256}, 'TYPE_INVALID', /not 256/],
    ['half a type', {type: 1.5}, 'TYPE_INVALID', /not 1.5/],
    ['no number', {type: '7'}, 'TYPE_INVALID', /not 7/],
    ['NaN', {type: Number.NaN}, 'TYPE_INVALID', /not NaN/],
    ['no direction', {direction: 'sideways'}, 'TYPE_INVALID', /"up".*"down"/],
  ])('refuses %s', (_, change, code, says) => {
    const registry = new MessageRegistry();
    const before = registry.list();
    const fault = registry.register(mine(change));
    expect(fault).toMatchObject({code, message: expect.stringMatching(says)});
    expect(() => registry.mustRegister(mine(change))).toThrow(says);
    expect(registry.list()).toEqual(before);
  });

  it('refuses the second message of a type and the second of a name, and says what stands there', () => {
    const registry = new MessageRegistry();
    expect(registry.register(mine())).toBeUndefined();
    expect(registry.register(mine({name: 'Other'}))).toMatchObject({code: 'TYPE_TAKEN', message: /Mine already/});
    expect(registry.register(mine({type: 0x41}))).toMatchObject({code: 'NAME_TAKEN'});
    expect(registry.register(mine({direction: 'down'}))).toBeUndefined();
  });

  it('names free types where one is taken', () => {
    const fault = new MessageRegistry().register(mine({type: 0x01}));
    expect(fault?.hint).toBe('Free types up: 0x04, 0x06, 0x07, …');
  });

  it('takes a reserved type when a diagnostic message is meant', () => {
    const registry = new MessageRegistry();
    registry.mustRegister(mine({type: 0xf3, reserved: true}));
    expect(registry.lookup(0xf3, 'up')?.name).toBe('Mine');
    expect(registry.lookup(0xf3, 'down')).toBeUndefined();
  });

  it('lets every free type be taken, and then has none', () => {
    const registry = new MessageRegistry();
    const free = registry.freeTypes('up');
    expect(free.filter(isReservedType)).toEqual([]);
    for (const type of free) registry.mustRegister(mine({type, name: `m${type}`}));
    expect(registry.freeTypes('up')).toEqual([]);
    expect(registry.freeTypes('down')).not.toEqual([]);
  });

  it('takes the objects that ts-proto generates as codecs', () => {
    const registry = new MessageRegistry();
    registry.mustRegister({type: 0x40, direction: 'up', name: 'Mine', codec: CoinCommand});
    const {codec} = registry.byName('Mine', 'up') as MessageDefinition<CoinCommand>;
    const message = CoinCommand.create({orderId: 'o-1', coins: 3, timeout: 60});
    const payload = Buffer.concat([Buffer.of(1, 2, 3), codec.encode(message), Buffer.of(0xff)]);
    expect(codec.decode(payload, 3, payload.length - 1)).toEqual(message);
  });

  it('gives a message one handler', () => {
    const registry = new MessageRegistry();
    registry.handle(0x03, 'up', () => undefined);
    expect(() => registry.handle(0x03, 'up', () => undefined)).toThrow(/Ping \(0x03 up\) has a handler already/);
    expect(() => registry.handle(0x40, 'up', () => undefined)).toThrow(/no message is registered for 0x40 up/);
    registry.handle(0x03, 'down', () => undefined);
  });

  it('finds nothing for numbers that are no types, and takes no handler for them', () => {
    const registry = new MessageRegistry();
    const numbers = fc.oneof(fc.integer({min: -600, max: 600}), fc.integer(), fc.double());
    fc.assert(
      fc.property(numbers, fc.constantFrom('up', 'down'), (type, direction) => {
        const found = registry.lookup(type, direction);
        if (found === undefined) return;
        expect([found.type + 0, found.direction]).toEqual([type + 0, direction]);
      }),
      {numRuns: 2000},
    );
    expect(() => registry.handle(0x103, 'up', () => undefined)).toThrow(/no message is registered/);
  });
});
