import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeFrame, FrameDecoder, FrameError, type FrameFormat} from '../../src/lib/frame/index.js';
import {collecting, cut, encodeAll, type PlainFrame} from './bytes.js';

const payloadDialect: FrameFormat = {length: 'payload', maxFrame: 65_535};
const bodyDialect: FrameFormat = {length: 'type+payload', maxFrame: 65_535};

const anyFrame: fc.Arbitrary<PlainFrame> = fc.record({
  type: fc.integer({min: 0, max: 255}),
  payload: fc
    .oneof(
      {weight: 4, arbitrary: fc.uint8Array({maxLength: 40})},
      {weight: 1, arbitrary: fc.uint8Array({maxLength: 3000})},
    )
    .map((bytes) => Buffer.from(bytes)),
});
const anyFrames = fc.array(anyFrame, {maxLength: 12});
const anyFormat = fc.constantFrom(payloadDialect, bodyDialect);
const anySizes = fc.array(fc.integer({min: 1, max: 200}), {minLength: 1, maxLength: 30});

describe('encodeFrame', () => {
  it('writes Len over Type and Payload, or over the payload alone', () => {
    const payload = Buffer.from('0a0b', 'hex');
    expect(encodeFrame(0x84, payload, bodyDialect).toString('hex')).toBe('00000003840a0b');
    expect(encodeFrame(0x84, payload, payloadDialect).toString('hex')).toBe('00000002840a0b');
    expect(encodeFrame(0x03, Buffer.alloc(0), bodyDialect).toString('hex')).toBe('0000000103');
    expect(encodeFrame(0x03, Buffer.alloc(0), payloadDialect).toString('hex')).toBe('0000000003');
  });

  it('refuses what is over the limit and what is no type', () => {
    const small: FrameFormat = {length: 'type+payload', maxFrame: 8};
    expect(encodeFrame(1, Buffer.alloc(7), small)).toHaveLength(12);
    expect(() => encodeFrame(1, Buffer.alloc(8), small)).toThrow(FrameError);
    for (const type of [-1, 256, 1.5, Number.NaN]) {
      expect(() => encodeFrame(type, Buffer.alloc(0))).toThrow(RangeError);
    }
  });
});

describe('FrameDecoder', () => {
  it('gives back any frames cut at any places', () => {
    fc.assert(
      fc.property(anyFrames, anyFormat, anySizes, (sent, format, sizes) => {
        const {decoder, frames} = collecting(format);
        for (const piece of cut(encodeAll(sent, format), sizes)) decoder.push(piece);
        expect(frames).toEqual(sent);
        expect(decoder.buffered).toBe(0);
        expect(decoder.insideFrame).toBe(false);
      }),
    );
  });

  it('gives back frames cut at every single place', () => {
    const sent = [1, 3, 0x84].map((type) => ({type, payload: Buffer.alloc(type, type)}));
    const bytes = encodeAll(sent);
    for (let at = 1; at < bytes.length; at++) {
      const {decoder, frames} = collecting();
      decoder.push(bytes.subarray(0, at));
      decoder.push(bytes.subarray(at));
      expect(frames).toEqual(sent);
    }
  });

  it('hands on a whole frame as a range of the chunk itself', () => {
    const chunk = encodeAll([{type: 1, payload: Buffer.from('ab')}]);
    let seen: unknown;
    new FrameDecoder((type, bytes, start, end) => {
      seen = {type, same: bytes === chunk, start, end};
      return true;
    }).push(chunk);
    expect(seen).toEqual({type: 1, same: true, start: 5, end: 7});
  });

  it('stops when told to, keeps what follows and loses nothing', () => {
    fc.assert(
      fc.property(anyFrames, anySizes, fc.infiniteStream(fc.boolean()), (sent, sizes, answers) => {
        const seen: PlainFrame[] = [];
        const decoder = new FrameDecoder((type, bytes, start, end) => {
          seen.push({type, payload: Buffer.from(bytes.subarray(start, end))});
          return answers.next().value;
        });
        for (const piece of cut(encodeAll(sent), sizes)) {
          decoder.push(piece);
          if (answers.next().value) decoder.resume();
        }
        while (decoder.stopped) decoder.resume();
        expect(seen).toEqual(sent);
      }),
    );
  });

  it('stands behind the frame at which the sink threw', () => {
    const bytes = encodeAll([1, 2, 3].map((type) => ({type, payload: Buffer.alloc(2)})));
    const seen: number[] = [];
    const decoder = new FrameDecoder((type) => {
      seen.push(type);
      if (type === 2) throw new Error('handler');
      return true;
    });
    expect(() => decoder.push(bytes)).toThrow('handler');
    decoder.resume();
    expect(seen).toEqual([1, 2, 3]);
  });

  const refused: [string, string, FrameFormat, string][] = [
    ['length 0', '00000000', bodyDialect, 'FRAME_EMPTY'],
    ['one over the limit', '00010000', bodyDialect, 'FRAME_TOO_LONG'],
    ['the highest length', 'ffffffff', bodyDialect, 'FRAME_TOO_LONG'],
    ['the sign bit', '80000000', bodyDialect, 'FRAME_TOO_LONG'],
    ['one over the limit, payload dialect', '00010000', payloadDialect, 'FRAME_TOO_LONG'],
  ];
  it.each(refused)('refuses %s as soon as the length is there, whole or in bytes, and stays refusing', (...row) => {
    const [, hex, format, code] = row;
    const head = Buffer.from(hex, 'hex');
    for (const pieces of [[head], cut(head, [1]), [Buffer.concat([head, Buffer.alloc(100)])]]) {
      const {decoder, frames} = collecting(format);
      expect(() => {
        for (const piece of pieces) decoder.push(piece);
      }).toThrow(expect.objectContaining({code}));
      expect(decoder.buffered).toBe(0);
      expect(() => decoder.push(encodeFrame(1, Buffer.alloc(0)))).toThrow(expect.objectContaining({code}));
      expect(frames).toEqual([]);
    }
  });

  it('takes length 0 as an empty payload in the payload dialect', () => {
    const {decoder, frames} = collecting(payloadDialect);
    decoder.push(Buffer.from('0000000003', 'hex'));
    expect(frames).toEqual([{type: 3, payload: Buffer.alloc(0)}]);
  });

  it('delivers the frames before a bad one', () => {
    const {decoder, frames} = collecting();
    const good = encodeFrame(1, Buffer.from('a'));
    expect(() => decoder.push(Buffer.concat([good, good, Buffer.alloc(4)]))).toThrow(FrameError);
    expect(frames).toHaveLength(2);
  });

  it('keeps no more than it has received, whatever length is announced', () => {
    const {decoder} = collecting({length: 'type+payload', maxFrame: 16 * 1024 * 1024});
    const before = process.memoryUsage().arrayBuffers;
    decoder.push(Buffer.from('00ffffff01', 'hex'));
    expect(decoder.buffered).toBe(5);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024);
  });

  it('never crashes, hangs or keeps more than one frame on garbage', () => {
    const format: FrameFormat = {length: 'type+payload', maxFrame: 1000};
    fc.assert(
      fc.property(fc.array(fc.uint8Array({maxLength: 300})), (chunks) => {
        const {decoder} = collecting(format);
        try {
          for (const chunk of chunks) {
            decoder.push(Buffer.from(chunk));
            expect(decoder.buffered).toBeLessThanOrEqual(1004);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
          expect(decoder.buffered).toBe(0);
        }
      }),
      {numRuns: 500},
    );
  });
});
