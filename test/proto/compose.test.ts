import fc from 'fast-check';
import type protobuf from 'protobufjs';
import {beforeAll, describe, expect, it} from 'vitest';
import {meaningsOf} from '../../src/lib/proto/index.js';
import * as registry from '../../src/lib/registry/index.js';
import {type JsonObject, protoFile, refusal, tool} from './support.js';

type Tool = Awaited<ReturnType<typeof tool>>;
let plain: Tool;
beforeAll(async () => {
  plain = await tool();
});

const code = (json: unknown): string => refusal(() => plain.compose(json)).code;
const message = (json: unknown): string => refusal(() => plain.compose(json)).message;
const hint = (json: unknown): string | undefined => refusal(() => plain.compose(json)).hint;

describe('a frame from words', () => {
  const cases: [string, object, string][] = [
    ['by name', {name: 'CoinCommand', fields: {order_id: 'o1', coins: 3}}, '00000007040a026f311003'],
    ['by type', {type: '0x04', fields: {order_id: 'o1', coins: 3}}, '00000007040a026f311003'],
    ['by a number', {type: 4, fields: {orderId: 'o1', coins: 3}}, '00000007040a026f311003'],
    ['by a name as the type', {type: 'CoinCommand', fields: {}}, '0000000104'],
    ['by both', {type: '0x84', name: 'CoinAck', protocol: 'paynet', fields: {state: 'COIN_DONE'}}, '00000003841002'],
    ['with the number of an enum', {name: 'CoinAck', fields: {state: 2}}, '00000003841002'],
    ['with a number no enum names', {name: 'CoinAck', fields: {state: 9}}, '00000003841009'],
    ['without fields', {name: 'Ping'}, '0000000103'],
    ['with bytes', {name: 'RegisterReq', fields: {devicePubkey: 'FF00'}}, '00000005012202ff00'],
    [
      'with all of 64 bits',
      {name: 'Pong', fields: {timestamp: '18446744073709551615'}},
      '0000000c0308ffffffffffffffffff01',
    ],
    ['an answer by its name', {name: 'QueryRsp', fields: {order_id: 'o1'}}, '00000005850a026f31'],
    ['an answer under 0x05', {type: 5, name: 'QueryRsp', fields: {order_id: 'o1'}}, '00000005050a026f31'],
    ['an answer by its fields', {type: 5, fields: {state: 'COIN_RUNNING'}}, '00000003051001'],
    ['a present optional with its default', {type: 0x85, fields: {code: 'OK'}}, '00000003852800'],
  ];
  it.each(cases)('%s', (_, json, hex) => expect(plain.compose(json).hex).toBe(hex));

  it('says which way it goes', () => {
    expect(plain.compose({name: 'CoinCommand'}).direction).toBe('down');
    expect(plain.compose({type: 3, direction: 'down'})).toMatchObject({name: 'Pong', direction: 'down'});
    expect(plain.compose({type: 3, fields: {uptime: 1}})).toMatchObject({name: 'Ping', direction: 'up'});
    expect(plain.compose({name: 'ErrorMsg'}).direction).toBeNull();
    expect(plain.compose({name: 'ErrorMsg', direction: 'up'}).direction).toBe('up');
  });

  it('knows the other way of counting and the limit', async () => {
    const dialect = await tool({format: {length: 'payload', maxFrame: 10}});
    expect(dialect.compose({name: 'Ping'}).hex).toBe('0000000003');
    expect(refusal(() => dialect.compose({name: 'CoinAck', fields: {error: 'x'.repeat(9)}})).code).toBe(
      'FRAME_TOO_LONG',
    );
  });
});

describe('refused', () => {
  const values: [string, unknown, string][] = [
    ['coins', 2 ** 32, 'coins must be a whole number from 0 to 4294967295, not 4294967296'],
    ['coins', -1, 'not -1'],
    ['coins', 1.5, 'not 1.5'],
    ['coins', '7', 'not "7"'],
    ['coins', null, 'not null'],
    ['coins', true, 'not true'],
    ['coins', [1], 'not a list'],
    ['order_id', 7, 'order_id must be text, not 7'],
    ['order_id', '\ud800', 'order_id must be text'],
  ];
  it.each(values)('%s: %j', (field, value, why) => {
    const json = {name: 'CoinCommand', fields: {[field]: value}};
    expect({code: code(json), message: message(json)}).toEqual({
      code: 'FIELD_INVALID',
      message: expect.stringContaining(why),
    });
  });

  const others: [string, object, string, string][] = [
    ['a number that JSON has rounded', {name: 'Pong', fields: {timestamp: 2 ** 53}}, 'FIELD_INVALID', 'timestamp'],
    ['digits with a sign', {name: 'Pong', fields: {timestamp: '+1'}}, 'FIELD_INVALID', 'timestamp'],
    ['digits over 64 bits', {name: 'Pong', fields: {timestamp: '18446744073709551616'}}, 'FIELD_INVALID', 'timestamp'],
    [
      'an unknown enum name',
      {name: 'CoinAck', fields: {state: 'DONE'}},
      'FIELD_INVALID',
      'COIN_ACCEPTED, COIN_RUNNING',
    ],
    ['an enum over 32 bits', {name: 'CoinAck', fields: {state: 2 ** 31}}, 'FIELD_INVALID', 'state'],
    ['an inherited name', {name: 'CoinAck', fields: {state: 'constructor'}}, 'FIELD_INVALID', 'state'],
    ['odd hex', {name: 'RegisterReq', fields: {device_pubkey: 'abc'}}, 'FIELD_INVALID', 'hex digits in pairs'],
    ['no hex', {name: 'RegisterReq', fields: {device_pubkey: 'zz'}}, 'FIELD_INVALID', 'hex digits in pairs'],
    ['a field in both spellings', {name: 'CoinAck', fields: {order_id: 'a', orderId: 'b'}}, 'FIELD_TWICE', 'order_id'],
    ['fields that are none', {name: 'CoinAck', fields: [1]}, 'FIELD_INVALID', 'fields must be an object'],
    ['nothing said', {}, 'REQUEST_INVALID', 'type or its name'],
    ['a type over a byte', {type: 256}, 'REQUEST_INVALID', '256'],
    ['a type that is none', {type: '0xZZ'}, 'REQUEST_INVALID', '0xZZ'],
    ['an unknown type', {type: '0x40'}, 'TYPE_UNKNOWN', '0x40'],
    ['a type and another name', {type: 4, name: 'CoinAck'}, 'MESSAGE_MISMATCH', '0x04 is CoinCommand, not CoinAck'],
    ['a type that is two names', {type: 'Ping', name: 'Pong'}, 'REQUEST_INVALID', 'differ'],
    ['the wrong way', {name: 'CoinAck', direction: 'down'}, 'MESSAGE_MISMATCH', 'not sent from server to device'],
    ['a strange direction', {name: 'CoinAck', direction: 'sideways'}, 'REQUEST_INVALID', 'direction'],
    ['unknown fields', {name: 'Ping', unknownFields: [{number: 9}]}, 'REQUEST_INVALID', 'unknownFields'],
    ['an own __proto__', JSON.parse('{"name":"Ping","fields":{"__proto__":1}}'), 'FIELD_UNKNOWN', '__proto__'],
  ];
  it.each(others)('%s', (_, json, wanted, why) => {
    expect({code: code(json), message: message(json)}).toEqual({code: wanted, message: expect.stringContaining(why)});
  });

  it('with the name that was probably meant', () => {
    expect(hint({name: 'CoinComand'})).toContain('CoinCommand');
    expect(hint({name: 'CoinCommand', fields: {coin: 1}})).toContain('coins');
    expect(hint({name: 'CoinCommand', fields: {zzzzzzz: 1}})).toContain('order_id, coins, timeout');
    expect(hint({nam: 'CoinCommand'})).toContain('name');
    expect(hint({name: 'CoinAck', fields: {state: 'COIN_DON'}})).toContain('COIN_DONE');
  });

  it.each([[null], [7], ['x'], [[]], [undefined]])('what is no object: %j', (json) =>
    expect(code(json)).toBe('REQUEST_INVALID'),
  );
});

/** Any JSON value that a field may have; numbers of 64 bits as far as the servers take them unless `wide`. */
function anyValue(field: protobuf.Field, wide: boolean): fc.Arbitrary<string | number> {
  const {resolvedType, type} = field;
  if (resolvedType !== null && 'valuesById' in resolvedType) {
    return fc.oneof(fc.constantFrom(...Object.keys(resolvedType.values)), fc.integer({min: 100, max: 2 ** 31 - 1}));
  }
  if (type === 'string') return fc.string({unit: 'binary', maxLength: 30});
  if (type === 'bytes') return fc.uint8Array({maxLength: 30}).map((bytes) => Buffer.from(bytes).toString('hex'));
  if (type === 'uint32') return fc.integer({min: 0, max: 2 ** 32 - 1});
  if (type === 'int32') return fc.integer({min: -(2 ** 31), max: 2 ** 31 - 1});
  if (type === 'uint64') {
    const safe = fc.maxSafeNat();
    return wide ? fc.oneof(safe, fc.bigInt({min: 2n ** 53n, max: 2n ** 64n - 1n}).map(String)) : safe;
  }
  throw new Error(`no values of type ${type}`);
}

const DEFAULTS: Readonly<Record<string, string | number>> = {string: '', bytes: ''};

/** Any fields of a message, and the same with the defaults filled in as the tool prints them. */
function fieldsOf(type: protobuf.Type, wide: boolean): fc.Arbitrary<{given: JsonObject; full: JsonObject}> {
  const arbitraries = Object.fromEntries(type.fieldsArray.map((field) => [field.name, anyValue(field, wide)]));
  return fc.record(arbitraries, {requiredKeys: []}).map((given) => {
    const full = type.fieldsArray.flatMap((field): [string, string | number][] => {
      const value = given[field.name];
      if (value !== undefined) return [[field.name, value]];
      if (field.hasPresence) return [];
      const {resolvedType} = field;
      if (resolvedType !== null && 'valuesById' in resolvedType) return [[field.name, resolvedType.valuesById[0] ?? 0]];
      return [[field.name, DEFAULTS[field.type] ?? 0]];
    });
    return {given: given as JsonObject, full: Object.fromEntries(full)};
  });
}

interface Generated {
  encode(message: object): {finish(): Uint8Array};
  decode(bytes: Uint8Array): object;
}

/** What the generated code calls the same message. */
function asGenerated(type: protobuf.Type, full: JsonObject): Record<string, unknown> {
  const entries = type.fieldsArray.map((field): [string, unknown] => {
    const value = full[field.name];
    const {resolvedType} = field;
    const camel = field.name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
    if (typeof value === 'string' && field.type === 'bytes') return [camel, Buffer.from(value, 'hex')];
    if (typeof value === 'string' && resolvedType !== null && 'valuesById' in resolvedType) {
      return [camel, resolvedType.values[value]];
    }
    return [camel, value];
  });
  return {$type: type.fullName.slice(1), ...Object.fromEntries(entries)};
}

describe('there and back', () => {
  it('decode(encode(x)) is x, for every message and direction', () => {
    const meanings = meaningsOf(plain.schema, new Map());
    const any = fc.constantFrom(...meanings).chain(({type, name, directions, message: schema}) =>
      fc.record({
        type: fc.constant(type),
        name: fc.constant(name),
        direction: fc.constantFrom(...directions),
        fields: fieldsOf(schema, true),
      }),
    );
    fc.assert(
      fc.property(any, ({type, name, direction, fields}) => {
        const made = plain.compose({type, name, direction, fields: fields.given});
        expect(made).toMatchObject({name, direction, fields: fields.full, unknownFields: []});
        // What was printed can be given back, and is the same again.
        expect(plain.compose(JSON.parse(JSON.stringify(made)))).toEqual(made);
      }),
      {numRuns: 500},
    );
  });

  it('agrees with the generated code in both directions, byte by byte', () => {
    const meanings = meaningsOf(plain.schema, new Map());
    const any = fc
      .constantFrom(...meanings)
      .chain((meaning) => fc.record({meaning: fc.constant(meaning), fields: fieldsOf(meaning.message, false)}));
    fc.assert(
      fc.property(any, ({meaning, fields}) => {
        const {type, name, message: schema} = meaning;
        const generated = (registry as unknown as Record<string, Generated>)[name] as Generated;
        const wanted = asGenerated(schema, fields.full);
        const payload = Buffer.from(plain.compose({type, name, fields: fields.given}).hex, 'hex').subarray(5);
        expect({...generated.decode(payload)}).toEqual(wanted);
        expect(Buffer.from(generated.encode(wanted).finish()).toString('hex')).toBe(payload.toString('hex'));
      }),
      {numRuns: 500},
    );
  });

  it('knows a schema for every message of the registry', () => {
    for (const {name} of new registry.MessageRegistry().list()) {
      expect(plain.schema.message(name).fullName).toBe(`.paybox.${name}`);
    }
  });
});

const OWN = `syntax = "proto3";
package shop;
import "google/protobuf/timestamp.proto";
import "paybox.proto";
enum Kind { NONE = 0; SOCKET = 1; }
message Port { uint32 number = 1; Kind kind = 2; repeated sint32 deltas = 3; Port next = 4; }
message PortState {
  string device_id = 1;
  repeated Port ports = 2;
  map<uint64, int64> totals = 3;
  map<bool, string> flags = 4;
  oneof reason { string text = 5; uint32 code = 6; }
  float watts = 7;
  double energy = 8;
  google.protobuf.Timestamp at = 9;
  fixed64 big = 10;
  bool on = 11;
  paybox.CoinState coin = 12;
  optional sfixed32 offset = 13;
}`;

describe("the user's own messages", () => {
  const state = {
    device_id: 'd1',
    ports: [
      {number: 1, kind: 'SOCKET', deltas: [-1, 2147483647], next: {number: 2, kind: 7, deltas: []}},
      {number: 0, kind: 'NONE', deltas: []},
    ],
    totals: {'18446744073709551615': '-9223372036854775808', '7': 5},
    flags: {true: 'yes', false: ''},
    code: 0,
    watts: 1.5,
    energy: 'NaN',
    at: {seconds: 1_795_000_000, nanos: 1},
    big: '9007199254740993',
    on: true,
    coin: 'COIN_DONE',
    offset: 0,
  };

  it('go there and back: lists, maps, messages, choices, numbers of every width', async () => {
    const own = await tool({files: [await protoFile(OWN)], names: [[0x40, 'PortState']], direction: 'up'});
    const made = own.compose({type: '0x40', direction: 'up', fields: state});
    expect(made).toMatchObject({
      type: '0x40',
      name: 'PortState',
      direction: 'up',
      fields: state,
      notes: [expect.stringContaining('kind is 7')],
    });
    expect(own.explain(made.hex).frames[0]).toEqual(made);
    expect(own.explain('0000000140').frames[0]?.fields).toEqual({
      device_id: '',
      ports: [],
      totals: {},
      flags: {},
      watts: 0,
      energy: 0,
      big: 0,
      on: false,
      coin: 'COIN_ACCEPTED',
    });
    // Port.9 inside ports[0]
    expect(own.explain('0000000540 1202 4801'.replaceAll(' ', '')).frames[0]?.unknownFields).toEqual([
      {number: 9, wireType: 'varint', value: 1, in: 'ports[0]'},
    ]);
  });

  const wrong: [string, object, string][] = [
    ['a value deep inside', {ports: [{deltas: [0, 2 ** 31]}]}, 'ports[0].deltas[1] must be'],
    ['an unknown field deep inside', {ports: [{nummer: 1}]}, 'Port has no field ports[0].nummer'],
    ['both of a choice', {text: 'a', code: 1}, 'text and code exclude each other'],
    ['a list that is none', {ports: {}}, 'ports must be a list'],
    ['a map key that is none', {totals: {'-1': 1}}, 'totals[-1] must be'],
    ['a bool key that is none', {flags: {yes: 'a'}}, 'flags[yes] must be true or false'],
    ['a float out of range', {watts: 1e39}, 'watts must be'],
    ['a number as text', {energy: '1.5'}, 'energy must be a number'],
  ];
  it.each(wrong)('are checked: %s', async (_, fields, why) => {
    const own = await tool({files: [await protoFile(OWN)], names: [[0x40, 'PortState']]});
    expect(refusal(() => own.compose({type: 0x40, fields})).message).toContain(why);
  });

  it('are not followed into endless depth', async () => {
    const own = await tool({files: [await protoFile(OWN)], names: [[0x40, 'Port']]});
    let fields = {};
    for (let depth = 0; depth < 5000; depth++) fields = {next: fields};
    expect(refusal(() => own.compose({type: 0x40, fields})).message).toContain('nested deeper');
    const deep = 5000;
    let payload = Buffer.alloc(0);
    for (let depth = 0; depth < deep && payload.length < 60_000; depth++) {
      const head = Buffer.from([0x22, ...varint(payload.length)]);
      payload = Buffer.concat([head, payload]);
    }
    const length = Buffer.alloc(4);
    length.writeUInt32BE(payload.length + 1);
    expect(own.explain(Buffer.concat([length, Buffer.from([0x40]), payload])).fault?.code).toBe('PAYLOAD_UNDECODABLE');
  });
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
