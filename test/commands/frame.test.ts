import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {tempFolder} from '../tls/support.js';
import {type Ran, type RunOptions, run} from './run.js';

const decode = (args: string[], options?: RunOptions): Promise<Ran> => run(['frame', 'decode', ...args], options);
const encode = (args: string[], options?: RunOptions): Promise<Ran> => run(['frame', 'encode', ...args], options);
const lines = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const ACK = '00000009840a026f3110021864';
const ACK_FIELDS = {order_id: 'o1', state: 'COIN_DONE', progress: 100, error: ''};

describe('frame decode', () => {
  it('explains frames to a person', async () => {
    const {code, stdout, stderr} = await decode(['00000009', '84:0a:02:6f:31', '0x10021864', '00000001 03']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toBe(`0x84 CoinAck  from device to server
  offset 0, 13 bytes, Len 9 (type + payload)
  00000009840a026f3110021864
  order_id = "o1"
  state    = "COIN_DONE"  (2)
  progress = 100  (Percent, 0 to 100.)
  error    = ""

0x03 Ping  from device to server
  offset 13, 5 bytes, Len 1 (type + payload)
  0000000103
  timestamp = 0  (Milliseconds since 1970, by the device's clock.)
  uptime    = 0  (Seconds since the device started.)
  signal    = 0  (Signal strength as the modem reports it.)
  ip        = ""
  note: a Pong can have the same bytes: --direction tells them apart
`);
  });

  it('prints one object for one frame and a line for each of several', async () => {
    const one = await decode(['--json', ACK]);
    expect({code: one.code, stderr: one.stderr}).toEqual({code: 0, stderr: ''});
    expect(JSON.parse(one.stdout)).toEqual({
      protocol: 'paynet',
      direction: 'up',
      type: '0x84',
      name: 'CoinAck',
      length: 9,
      offset: 0,
      fields: ACK_FIELDS,
      unknownFields: [],
      notes: [],
      hex: ACK,
    });
    const two = await decode(['--json', '--direction', 'up', ACK, '0000000103']);
    expect(lines(two.stdout).map(({name, direction}) => ({name, direction}))).toEqual([
      {name: 'CoinAck', direction: 'up'},
      {name: 'Ping', direction: 'up'},
    ]);
  });

  const inputs: [string, string | Uint8Array, string[]][] = [
    ['hex text', `${ACK}\n`, []],
    ['hex over lines', ACK.replace(/(.{6})/g, '$1\n'), []],
    ['raw bytes', Buffer.from(ACK, 'hex'), []],
    ['raw bytes by order', Buffer.from(ACK, 'hex'), ['--binary']],
  ];
  it.each(inputs)('reads %s from stdin', async (_, input, args) => {
    const {code, stdout} = await decode(['--json', ...args], {input});
    expect(code).toBe(0);
    expect(lines(stdout)).toEqual([expect.objectContaining({name: 'CoinAck', fields: ACK_FIELDS})]);
  });

  it('prints the frames before a bad one, then says what is wrong and where', async () => {
    const text = await decode([ACK, '00000000']);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain('0x84 CoinAck');
    expect(text.stderr).toContain('Error: At offset 13: the frame has length 0');
    const json = await decode(['--json', ACK, '00000002 84']);
    expect({code: json.code, stderr: json.stderr}).toEqual({code: 1, stderr: ''});
    expect(lines(json.stdout)).toEqual([
      expect.objectContaining({name: 'CoinAck'}),
      {error: expect.objectContaining({code: 'FRAME_INCOMPLETE', message: expect.stringContaining('At offset 13')})},
    ]);
  });

  it('shows nothing that steers a terminal', async () => {
    const text = Buffer.from('\u001b[2J\u009b\u202e\n\u2028');
    const payload = Buffer.concat([Buffer.from([0x0a, text.length]), text]);
    const frame = Buffer.concat([Buffer.from([0, 0, 0, payload.length + 1, 0x02]), payload]).toString('hex');
    for (const args of [[frame], ['--json', frame]]) {
      const {code, stdout} = await decode(args);
      expect(code).toBe(0);
      expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
      expect(stdout).toContain('\\u001b[2J\\u009b\\u202e\\n\\u2028');
    }
  });

  it("decodes the user's own messages", async () => {
    const folder = await tempFolder();
    await writeFile(
      join(folder, 'shop.proto'),
      'syntax = "proto3"; message PortState { uint32 port = 1; bool busy = 2; }',
    );
    const args = ['--proto', 'shop.proto', '--message', '0x40=PortState', '--json', '0000000540', '08031001'];
    const {code, stdout} = await decode(args, {cwd: folder});
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      type: '0x40',
      name: 'PortState',
      direction: null,
      fields: {port: 3, busy: true},
    });
  });

  const wrong: [string, string[], string | Uint8Array, number, string][] = [
    ['a digit that is none', ['00zz'], '', 1, '"z" is no hex digit (position 3)'],
    ['text on stdin that is no hex', [], 'hello', 1, '"h" is no hex digit'],
    ['text that is said to be bytes', ['--binary'], '0000000103', 1, 'over the limit'],
    ['nothing on stdin', [], '', 1, 'the input is empty'],
    ['an empty argument', [''], '', 1, 'the input is empty'],
    ['a length over --max-frame', ['--max-frame', '8', ACK], '', 1, 'length 9 is over the limit of 8'],
    ['the other way of counting', ['00000008840a026f3110021864'], '', 1, '--frame-length payload'],
    ['--binary with an argument', ['--binary', ACK], '', 2, '--binary is for stdin'],
    ['a strange direction', ['--direction', 'left', ACK], '', 2, 'direction'],
    ['a limit of nothing', ['--max-frame', '0', ACK], '', 2, 'max-frame'],
    ['--proto alone', ['--proto', 'x.proto', ACK], '', 2, 'message'],
    ['a --message that says no type', ['--message', 'PortState', ACK], '', 2, 'not TYPE=NAME'],
    ['a --message of nobody', ['--message', '0x40=Nobody', ACK], '', 1, 'There is no message Nobody'],
    [
      'a .proto file that is not there',
      ['--proto', 'x.proto', '--message', '4=X', ACK],
      '',
      1,
      'x.proto cannot be read',
    ],
  ];
  it.each(wrong)('refuses %s', async (_, args, input, exit, why) => {
    const {code, stderr} = await decode(args, {input});
    expect(code).toBe(exit);
    expect(stderr).toContain(why);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe('frame encode', () => {
  const FIELDS = ['--field', 'order_id=o1', '--field', 'coins=3'];

  it('makes hex, JSON or bytes from flags', async () => {
    const hex = await encode(['--type', '0x04', ...FIELDS]);
    expect(hex).toMatchObject({code: 0, stdout: '00000007040a026f311003\n', stderr: ''});
    const json = await encode(['--type', 'CoinCommand', '--json', ...FIELDS]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      protocol: 'paynet',
      direction: 'down',
      type: '0x04',
      fields: {order_id: 'o1', coins: 3, timeout: 0},
      hex: '00000007040a026f311003',
    });
    const binary = await encode(['--type', 'CoinCommand', '--binary', ...FIELDS]);
    expect(binary.bytes.toString('hex')).toBe('00000007040a026f311003');
  });

  it('reads values by the types of their fields', async () => {
    const args = [
      '--type',
      'CoinAck',
      '--field',
      'orderId=7',
      '--field',
      'state=COIN_FAILED',
      '--field',
      'error=a=b c',
    ];
    const {stdout} = await encode([...args, '--json']);
    expect(JSON.parse(stdout).fields).toEqual({order_id: '7', state: 'COIN_FAILED', progress: 0, error: 'a=b c'});
    const other = await encode([
      '--type',
      '0x03',
      '--direction',
      'up',
      '--field',
      'signal=-71',
      '--frame-length',
      'payload',
    ]);
    expect(other.stdout).toBe('0000000b0318b9ffffffffffffffff01\n');
  });

  it('takes what decode prints, one frame or several, and gives the same bytes', async () => {
    const stream = `${ACK}00000007040a026f311003${'0000000103'}00000005050a026f31`;
    const {stdout} = await decode(['--json', stream]);
    const again = await encode([], {input: stdout});
    expect(again.stderr).toBe('');
    expect(again.stdout.replaceAll('\n', '')).toBe(stream);
    const pretty = await encode(['--json'], {input: JSON.stringify(lines(stdout)[0], undefined, 2)});
    expect(JSON.parse(pretty.stdout)).toEqual(lines(stdout)[0]);
  });

  it('takes the least that says what is meant, in either spelling', async () => {
    const input = '{"type": "0x84", "fields": {"orderId": "o1", "state": "COIN_DONE", "progress": 100}}';
    expect((await encode([], {input})).stdout).toBe(`${ACK}\n`);
    const full =
      '{"protocol": "paynet", "direction": "up", "name": "CoinAck", "fields": {"order_id": "o1", "state": 2, "progress": 100}}';
    expect((await encode([], {input: full})).stdout).toBe(`${ACK}\n`);
  });

  const wrongJson: [string, string, string][] = [
    ['nothing', '', 'the input is empty'],
    ['no JSON', '{"name":', 'The input is no JSON'],
    ['another protocol', '{"protocol": "nobody", "name": "Ping"}', 'nobody'],
    [
      '2^32',
      '{"name": "CoinCommand", "fields": {"coins": 4294967296}}',
      'coins must be a whole number from 0 to 4294967295',
    ],
    ['text for a number', '{"name": "CoinCommand", "fields": {"coins": "7"}}', 'not "7"'],
    ['a field of nobody', '{"name": "CoinCommand", "fields": {"coin": 7}}', 'Did you mean coins?'],
  ];
  it.each(wrongJson)('refuses %s on stdin with exit code 1', async (_, input, why) => {
    const {code, stdout, stderr} = await encode([], {input});
    expect({code, stdout}).toEqual({code: 1, stdout: ''});
    expect(stderr).toContain(why);
  });

  const wrongFlags: [string, string[], string][] = [
    ['-1', ['--type', '4', '--field', 'coins=-1'], 'not -1'],
    ['1.5', ['--type', '4', '--field', 'coins=1.5'], 'not "1.5"'],
    ['07', ['--type', '4', '--field', 'coins=07'], 'not "07"'],
    ['2^32', ['--type', '4', '--field', 'coins=4294967296'], 'not 4294967296'],
    ['a field twice', ['--type', '4', '--field', 'coins=1', '--field', 'coins=2'], 'twice'],
    ['a field without a value', ['--type', '4', '--field', 'coins'], 'NAME=VALUE'],
    ['a field without a type', ['--field', 'coins=1'], 'type'],
    ['an unknown type', ['--type', '0x40'], '--message 0x40=Name'],
    ['an unknown name', ['--type', 'CoinComand'], 'Did you mean CoinCommand?'],
    ['bytes and JSON', ['--type', '4', '--binary', '--json'], 'json'],
  ];
  it.each(wrongFlags)('refuses %s in flags with exit code 2', async (_, args, why) => {
    const {code, stdout, stderr} = await encode(args);
    expect(code).toBe(2);
    expect(stdout + stderr).toContain(why);
  });
});
