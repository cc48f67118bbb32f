import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeFrame, type FrameFormat} from '../../src/lib/frame/index.js';
import {ResultCode, Type} from '../../src/lib/registry/index.js';
import {counted, openGate} from './gate.js';
import {said} from './raw-client.js';

const length = (len: number, ...rest: number[]): Buffer => {
  const bytes = Buffer.alloc(4 + rest.length);
  bytes.writeUInt32BE(len, 0);
  bytes.set(rest, 4);
  return bytes;
};
/** A length-delimited field 1, as every id is. */
const id = (bytes: string | Uint8Array): Buffer => {
  const raw = Buffer.from(bytes as Uint8Array);
  return Buffer.concat([Buffer.of(0x0a, raw.length), raw]);
};

describe('a frame that nothing can be read after', () => {
  it.each([
    ['of length 0', length(0), 'empty', /length 0/],
    ['of length 0 with a type', length(0, 0x03), 'empty', /length 0/],
    ['of one byte over the limit', length(65_536, 0x03), 'too_long', /65536 is over the limit of 65535/],
    ['of the largest length there is', length(0xffff_ffff, 0x03), 'too_long', /4294967295/],
    ['of a length that is negative to some', length(0x8000_0000, 0x03), 'too_long', /2147483648/],
  ])('%s is answered, and the connection closed', async (_, bytes, reason, text) => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const memory = process.memoryUsage().arrayBuffers;
    client.write(bytes);
    expect(await client.hearError()).toMatchObject({code: ResultCode.PARAM_ERROR, msg: text});
    expect(await client.rest()).toEqual([]);
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(16_000_000);
    await gate.untilEvent('disconnected');
    expect(counted(gate.server, 'frameErrors')).toEqual({[reason]: 1});
    expect(counted(gate.server, 'closed')).toEqual({frame_error: 1});
  });

  it('ends what came behind it, not what came before it', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const ping = encodeFrame(Type.ping, new Uint8Array(0));
    client.write(ping, ping, length(0), ping, ping);
    await client.hear('Pong');
    await client.hear('Pong');
    await client.hearError();
    expect(await client.rest()).toEqual([]);
  });
});

describe('a frame that cannot be served', () => {
  const utf8 = Buffer.of(0x6f, 0xc3, 0x28);
  const table: [string, Buffer, string, ResultCode, RegExp][] = [
    ['of a free type', encodeFrame(0x40, Buffer.of(1)), 'unknown_type', ResultCode.PARAM_ERROR, /unknown type 0x40/],
    ['of a reserved type', encodeFrame(0xf0, Buffer.of(1)), 'unknown_type', ResultCode.PARAM_ERROR, /0xF0/],
    ['of type 0', encodeFrame(0, Buffer.of(1)), 'unknown_type', ResultCode.PARAM_ERROR, /0x00/],
    ['of the other direction', encodeFrame(0x04, Buffer.of(1)), 'unknown_type', ResultCode.PARAM_ERROR, /0x04/],
    ['of the other direction, too', encodeFrame(0x82, Buffer.of(1)), 'unknown_type', ResultCode.PARAM_ERROR, /0x82/],
    ['that is cut', encodeFrame(0x84, Buffer.of(0x0a, 9, 0x61)), 'undecodable', ResultCode.PARAM_ERROR, /CoinAck/],
    ['of broken protobuf', encodeFrame(0x84, Buffer.alloc(20, 0xff)), 'undecodable', ResultCode.PARAM_ERROR, /CoinAck/],
    ['of deep groups', encodeFrame(0x84, Buffer.alloc(60_000, 0x7b)), 'undecodable', ResultCode.PARAM_ERROR, /CoinAck/],
    ['that is an empty CoinAck', encodeFrame(0x84, Buffer.of()), 'bad_value', ResultCode.PARAM_ERROR, /order_id/],
    ['that is an empty QueryRsp', encodeFrame(0x85, Buffer.of()), 'bad_value', ResultCode.PARAM_ERROR, /order_id/],
    ['that is an empty question', encodeFrame(0x05, Buffer.of()), 'bad_value', ResultCode.PARAM_ERROR, /order_id/],
    ['that answers no question', encodeFrame(0x85, id('o-1')), 'bad_value', ResultCode.PARAM_ERROR, /not asked/],
    [
      'with state 99',
      said('CoinAck', {orderId: 'o-1', state: 99, progress: 0, error: ''}),
      'bad_value',
      ResultCode.PARAM_ERROR,
      /state 99/,
    ],
    [
      'with a huge progress',
      said('CoinAck', {orderId: 'o-1', state: 1, progress: 1e9, error: ''}),
      'bad_value',
      ResultCode.PARAM_ERROR,
      /1000000000/,
    ],
    [
      'with progress 101',
      said('CoinAck', {orderId: 'o-1', state: 1, progress: 101, error: ''}),
      'bad_value',
      ResultCode.PARAM_ERROR,
      /101/,
    ],
    ['with an id of invalid UTF-8', encodeFrame(0x84, id(utf8)), 'bad_value', ResultCode.PARAM_ERROR, /order_id/],
    ['with NUL in an id', encodeFrame(0x84, id('o\0')), 'bad_value', ResultCode.PARAM_ERROR, /order_id/],
    ['about an order of nobody', encodeFrame(0x84, id('o-1')), 'bad_value', ResultCode.PARAM_ERROR, /o-1/],
  ];
  it.each(table)('%s is answered, counted, and the connection stays', async (_, bytes, reason, code, text) => {
    const gate = await openGate();
    const client = await gate.device('device001');
    client.write(bytes);
    expect(await client.hearError()).toMatchObject({code, msg: text});
    await client.alive();
    expect(counted(gate.server, 'frameErrors')).toEqual({[reason]: 1});
    expect(gate.counters.handlerErrors).toBe(0);
  });

  it('is no reason to answer when it is a report of an error itself', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    client.frame(Type.error, Buffer.of(0xff));
    client.frame(Type.error);
    client.say('ErrorMsg', {code: 77, msg: 'line\nbreak \x1b[31m'});
    await client.alive();
    expect(counted(gate.server, 'frameErrors')).toEqual({undecodable: 1});
    expect(gate.lines.find(({message}) => message === 'a device reports an error')?.fields).toMatchObject({
      deviceId: 'device001',
    });
  });

  it('before the login is asked to log in first', async () => {
    const gate = await openGate();
    const client = await gate.dial('device001');
    const early = [
      said('CoinAck', {orderId: 'o-1', state: 1, progress: 0, error: ''}),
      encodeFrame(0x84, Buffer.of()),
      said('QueryReq', {orderId: 'o-1'}),
      encodeFrame(0x05, Buffer.of()),
      said('QueryRsp', {orderId: 'o-1', state: 0, progress: 0, error: ''}),
    ];
    client.write(...early);
    for (const _ of early)
      expect(await client.hearError()).toMatchObject({code: ResultCode.UNAUTHORIZED, msg: /log in/});
    client.say('Ping', {timestamp: 1, uptime: 2, signal: 3, ip: ''});
    await client.hear('Pong');
    expect(counted(gate.server, 'frameErrors')).toEqual({unauthorized: early.length});
    expect(gate.events).toEqual([]);
    await client.login('device001');
  });

  it('has an answer for any bytes in any message, and the server stays up', async () => {
    const gate = await openGate({server: {limits: {messages_per_second: 0}}});
    const client = await gate.device('device001');
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(
            fc.constantFrom(0, 1, 2, 3, 4, 5, 0x40, 0x81, 0x84, 0x85, 0xf0, 0xff),
            fc.uint8Array({maxLength: 40}),
          ),
          {maxLength: 20},
        ),
        async (frames) => {
          client.write(...frames.map(([type, payload]) => encodeFrame(type, payload)));
          const marker = said('LoginReq', {deviceId: 'device001', token: '', version: 'marker'});
          client.write(marker);
          for (let answer = await client.next(); ; answer = await client.next()) {
            expect(answer, 'the connection is still there').toBeDefined();
            if (answer?.type === Type.loginRsp && answer.payload.includes('r1.')) break;
          }
        },
      ),
      {numRuns: 200},
    );
    await gate.device('device002');
  });
});

describe('frames cut and joined', () => {
  it('one byte at a time are the same frames', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const bytes = Buffer.concat([
      said('Ping', {timestamp: Date.now(), uptime: 1, signal: -70, ip: '10.0.0.1'}),
      said('QueryReq', {orderId: 'o-1'}),
    ]);
    client.socket.setNoDelay(true);
    for (const byte of bytes) client.write(Buffer.of(byte));
    await client.hear('Pong');
    expect(await client.hear('QueryRsp')).toMatchObject({orderId: 'o-1', code: ResultCode.ORDER_NOT_FOUND});
    expect(await gate.untilEvent('heartbeat')).toMatchObject({uptimeSeconds: 1, signal: -70, ip: '10.0.0.1'});
  });

  it('many in one piece are answered in order, in few writes', async () => {
    const gate = await openGate({server: {limits: {messages_per_second: 0}}});
    const client = await gate.device('device001');
    let chunks = 0;
    client.socket.on('data', () => chunks++);
    const ids = Array.from({length: 300}, (_, index) => `o-${index}`);
    client.write(...ids.map((orderId) => said('QueryReq', {orderId})));
    for (const orderId of ids) expect(await client.hear('QueryRsp')).toMatchObject({orderId});
    expect(chunks).toBeLessThan(100);
  });

  it('that end with the connection in the middle are nothing', async () => {
    const gate = await openGate();
    const client = await gate.device('device001');
    const ack = said('CoinAck', {orderId: 'o-1', state: 2, progress: 100, error: ''});
    client.write(ack.subarray(0, ack.length - 1));
    client.socket.end();
    await client.closed;
    expect(await gate.untilEvent('disconnected')).toMatchObject({reason: 'peer_closed'});
    expect(gate.events.map(({kind}) => kind)).toEqual(['loggedIn', 'disconnected']);
    expect(counted(gate.server, 'frameErrors')).toEqual({});
  });
});

describe('the other length', () => {
  const format: FrameFormat = {length: 'payload', maxFrame: 65_535};

  it('counts the payload alone, both ways, and an empty payload is no fault', async () => {
    const gate = await openGate({config: {frame: {length: 'payload'}}});
    const client = await gate.dial('device001', {}, format);
    client.write(length(0, Type.ping));
    await client.hear('Pong');
    await client.login('device001');
    client.write(length(65_536, Type.ping));
    expect(await client.hearError()).toMatchObject({msg: /over the limit/});
    expect(await client.rest()).toEqual([]);
  });

  it('is spoken by the device SDK', async () => {
    const gate = await openGate({config: {frame: {length: 'payload'}}});
    const client = await gate.client('device001', {config: {frame: {length: 'payload'}}});
    await client.start(undefined, {login: {deviceId: 'device001'}});
    expect(await client.query('o-1')).toMatchObject({code: ResultCode.ORDER_NOT_FOUND});
  });
});

describe('the smallest limits', () => {
  it.each([1, 2, 3, 8, 20])('of %i bytes crash nothing, whatever does not fit', async (max_frame) => {
    const gate = await openGate({server: {max_frame}});
    const client = await gate.dial('device001');
    client.frame(Type.ping);
    client.frame(0x40);
    client.write(said('LoginReq', {deviceId: 'device001', token: '', version: ''}), length(0));
    await client.rest();
    const other = await gate.dial('device002');
    other.frame(0x40);
    other.write(length(0));
    await other.rest();
    expect(gate.server.isListening).toBe(true);
  });
});
