import fc from 'fast-check';
import {beforeAll, describe, expect, it} from 'vitest';
import {encodeFrame} from '../../src/lib/frame/index.js';
import {tool} from './support.js';

type Tool = Awaited<ReturnType<typeof tool>>;
let plain: Tool;
let up: Tool;
let down: Tool;
beforeAll(async () => {
  plain = await tool();
  up = await tool({direction: 'up'});
  down = await tool({direction: 'down'});
});

/** A frame of this type with these payload bytes. */
const frame = (type: number, payload = ''): string =>
  encodeFrame(type, Buffer.from(payload.replaceAll(' ', ''), 'hex')).toString('hex');

describe('a frame in words', () => {
  it('has the stable format: all fields with defaults, enums by name, an absent optional field left out', () => {
    expect(plain.explain(frame(0x84, '0a026f31 1002 1864')).frames).toEqual([
      {
        protocol: 'paynet',
        direction: 'up',
        type: '0x84',
        name: 'CoinAck',
        length: 9,
        offset: 0,
        fields: {order_id: 'o1', state: 'COIN_DONE', progress: 100, error: ''},
        unknownFields: [],
        notes: [],
        hex: '00000009840a026f3110021864',
      },
    ]);
    const [absent, present] = plain.explain(frame(0x85, '0a026f31') + frame(0x85, '0a026f31 2806')).frames;
    expect(absent?.fields).toEqual({order_id: 'o1', state: 'COIN_ACCEPTED', progress: 0, error: ''});
    expect(present?.fields).toEqual({...absent?.fields, code: 'ORDER_NOT_FOUND'});
    expect(present?.offset).toBe(absent ? absent.hex.length / 2 : -1);
  });

  it('has bytes as hex, numbers as numbers, 64 bits over 2^53 as digits', () => {
    const register = frame(0x01, '0a0161 2202ff00');
    expect(plain.explain(register).frames[0]?.fields).toEqual({
      device_sn: 'a',
      model: '',
      firmware: '',
      device_pubkey: 'ff00',
    });
    const ping = plain.explain(frame(0x03, '08ffffffffffffffffff01 18ffffffffffffffffff01')).frames[0];
    expect(ping?.fields).toEqual({timestamp: '18446744073709551615', uptime: 0, signal: -1, ip: ''});
    expect(ping?.notes).toEqual(['timestamp is over 2^53: servers refuse it']);
  });

  it('tells a person the numbers, dates and meanings behind the values', () => {
    const [ack] = plain.explain(frame(0x84, '0a026f31 1002')).remarks;
    expect(ack?.get('state')).toBe('2');
    expect(ack?.get('progress')).toBe('Percent, 0 to 100.');
    const [pong] = plain.explain(frame(0x03, `08${'80a09ecbaa33'}`)).remarks;
    expect(pong?.get('timestamp')).toMatch(/^20\d\d-\d\d-\d\dT.*Z; Milliseconds since 1970/);
  });

  it('knows the other way of counting', async () => {
    const dialect = await tool({format: {length: 'payload'}});
    const {frames, fault} = dialect.explain('00000000 03 00000004 04 0a026f31');
    expect(fault).toBeUndefined();
    expect(frames.map(({name, length, offset}) => ({name, length, offset}))).toEqual([
      {name: 'Ping', length: 0, offset: 0},
      {name: 'CoinCommand', length: 4, offset: 5},
    ]);
  });
});

describe('which message a frame is', () => {
  type Case = [string, number, string, 'up' | 'down' | undefined, string | null, 'up' | 'down' | null, string?];
  const cases: Case[] = [
    ['a type known in one direction', 0x04, '', undefined, 'CoinCommand', 'down'],
    ['another', 0x01, '', undefined, 'RegisterReq', 'up'],
    ['0x03 with a time alone', 0x03, '0801', undefined, 'Pong', 'down', 'a Ping can have the same bytes'],
    ['0x03 with an uptime', 0x03, '0801 1001', undefined, 'Ping', 'up'],
    ['0x03 with an address', 0x03, '220131', undefined, 'Ping', 'up'],
    ['0x03 with nothing', 0x03, '', undefined, 'Ping', 'up', 'a Pong can have the same bytes'],
    ['0x03 upwards', 0x03, '0801', 'up', 'Ping', 'up'],
    ['0x03 downwards', 0x03, '', 'down', 'Pong', 'down'],
    ['0x05 with an order', 0x05, '0a026f31', undefined, 'QueryReq', null, 'a QueryRsp can have the same bytes'],
    ['0x05 with a state', 0x05, '0a026f31 1001', undefined, 'QueryRsp', null],
    ['0x05 with a code upwards', 0x05, '0a026f31 2800', 'up', 'QueryRsp', 'up'],
    ['0x05 with a field of nobody', 0x05, '0a026f31 4801', undefined, 'QueryReq', null],
    ['0x85', 0x85, '0a026f31 1001', undefined, 'QueryRsp', null],
    ['0xFF', 0xff, '', undefined, 'ErrorMsg', null],
    ['0xFF downwards', 0xff, '', 'down', 'ErrorMsg', 'down'],
    ['a free type', 0x40, '', undefined, null, null, '--message 0x40=Name'],
    ['a reserved type', 0xf0, '', undefined, null, null, 'reserved for diagnostics'],
    ['a type of the other way', 0x84, '', 'down', null, 'down', 'the other way it is CoinAck'],
  ];
  it.each(cases)('%s', (_, type, payload, way, name, direction, note) => {
    const which = way === 'up' ? up : way === 'down' ? down : plain;
    const {frames, fault} = which.explain(frame(type, payload));
    expect(fault).toBeUndefined();
    expect(frames[0]).toMatchObject({name, direction});
    expect(frames[0]?.notes.join('\n')).toContain(note ?? '');
  });

  it('lets the user say so', async () => {
    const told = await tool({
      names: [
        [0x05, 'QueryRsp'],
        [0x40, 'paybox.CoinAck'],
      ],
    });
    expect(told.explain(frame(0x05, '0a026f31')).frames[0]).toMatchObject({name: 'QueryRsp'});
    expect(told.explain(frame(0x40, '1003')).frames[0]).toMatchObject({
      type: '0x40',
      name: 'CoinAck',
      fields: {state: 'COIN_FAILED'},
    });
  });
});

describe('notes', () => {
  const cases: [string, number, string, string][] = [
    ['an empty CoinAck', 0x84, '', 'an empty CoinAck reads as ACCEPTED: servers refuse it'],
    ['an empty QueryRsp', 0x85, '', 'an empty QueryRsp reads as ACCEPTED'],
    ['no order id', 0x84, '1002', 'order_id is empty'],
    ['an answer that proves nothing', 0x85, '0a026f31', 'does not prove'],
    ['an id with a line end', 0x84, '0a03610a62', 'order_id is no valid id'],
    ['broken UTF-8', 0x84, '0a02ff31', 'order_id holds U+FFFD'],
    ['a state nobody knows', 0x84, '0a026f31 1009', 'state is 9, which CoinState does not name'],
    ['too much progress', 0x84, '0a026f31 1865', 'progress is 101, over 100 %'],
    ['seconds for milliseconds', 0x03, '0880aaf5c906', 'looks like seconds'],
    ['a field twice', 0x04, '0a0161 0a0162', 'order_id is there more than once: the last one counts'],
    ['a wrong wire type', 0x84, '0a026f31 1a0101', 'field 3 came as bytes, but progress is uint32: ignored'],
    ['a result code', 0xff, '0802', 'code 2 is UNAUTHORIZED'],
  ];
  it.each(cases)('%s', (_, type, payload, note) => {
    const {frames, fault} = plain.explain(frame(type, payload));
    expect(fault).toBeUndefined();
    expect(frames[0]?.notes.join('\n')).toContain(note);
  });

  it('shows unknown fields of every wire type', () => {
    const {frames} = plain.explain(
      frame(0x04, '0a0161 4805 51ffffffffffffffff 5a0141 65010203 04 6308016 4'.replaceAll(' ', '')),
    );
    expect(frames[0]?.unknownFields).toEqual([
      {number: 9, wireType: 'varint', value: 5},
      {number: 10, wireType: 'fixed64', value: '18446744073709551615'},
      {number: 11, wireType: 'bytes', value: '41'},
      {number: 12, wireType: 'fixed32', value: 0x04030201},
      expect.objectContaining({number: 12, wireType: 'group'}),
    ]);
    expect(frames[0]?.fields).toEqual({order_id: 'a', coins: 0, timeout: 0});
    expect(plain.explain(frame(0x40, '0801')).frames[0]?.unknownFields).toEqual([
      {number: 1, wireType: 'varint', value: 1},
    ]);
  });
});

describe('what cannot be decoded', () => {
  const good = '00000001 03';
  const cases: [string, string, number, string, string][] = [
    ['length 0', '00000000', 0, 'FRAME_EMPTY', 'At offset 0: the frame has length 0'],
    ['length 0 behind a frame', `${good} 00000000 03`, 1, 'FRAME_EMPTY', 'At offset 5: the frame has length 0'],
    ['over the limit', `${good} 00010000 03`, 1, 'FRAME_TOO_LONG', "At offset 5: the frame's length 65536 is over"],
    ['a part of a length', `${good} 0000`, 1, 'FRAME_INCOMPLETE', 'At offset 5: 2 bytes are left, less than the 4'],
    ['a length alone', '00000005', 0, 'FRAME_INCOMPLETE', '4 bytes are left of a frame with 9 bytes (Len 5); 5 are'],
    ['a cut frame', '00000005 84 0a026f', 0, 'FRAME_INCOMPLETE', 'of type 0x84 with 9 bytes (Len 5); 1 is missing'],
    [
      'a payload cut short',
      '00000003 84 0a02',
      1,
      'PAYLOAD_UNDECODABLE',
      'At offset 0: 0x84 CoinAck: the payload is no',
    ],
    ['a payload that is none', '00000003 02 ffff', 1, 'PAYLOAD_UNDECODABLE', 'the payload is no LoginReq'],
  ];
  it.each(cases)('%s', (_, hex, frames, code, message) => {
    const result = plain.explain(hex);
    expect(result.frames).toHaveLength(frames);
    expect(result.fault).toMatchObject({code, message: expect.stringContaining(message)});
  });

  it('goes on behind a payload that is none', () => {
    const {frames, fault} = plain.explain('00000003 02 ffff 00000001 04');
    expect(frames.map(({name, fields}) => ({name, empty: Object.keys(fields).length === 0}))).toEqual([
      {name: 'LoginReq', empty: true},
      {name: 'CoinCommand', empty: false},
    ]);
    expect(fault).toMatchObject({code: 'PAYLOAD_UNDECODABLE'});
  });

  it('hints at the other way of counting when everything would fit', async () => {
    expect(plain.explain('00000004 84 0a026f31').fault?.hint).toContain(
      '--frame-length payload these bytes are 1 whole',
    );
    const dialect = await tool({format: {length: 'payload'}});
    expect(dialect.explain('00000005 84 0a026f31').fault?.hint).toContain('--frame-length type+payload');
  });

  it('never crashes, and accounts for every byte', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 200}), (bytes) => {
        const {frames, fault} = plain.explain(Buffer.from(bytes));
        const explained = frames.map(({hex}) => hex).join('');
        expect(Buffer.from(bytes).toString('hex').startsWith(explained)).toBe(true);
        if (fault === undefined) expect(explained).toHaveLength(bytes.length * 2);
      }),
    );
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({maxLength: 60}), (type, payload) => {
        const {frames} = plain.explain(encodeFrame(type, payload));
        expect(frames).toHaveLength(1);
        expect(JSON.parse(JSON.stringify(frames))).toEqual(frames);
      }),
      {numRuns: 500},
    );
  });
});
