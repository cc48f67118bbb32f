import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {Ping} from '../../src/lib/registry/index.js';
import {pingCodec} from '../../src/lib/registry/ping-codec.js';
import {protoCodec} from '../../src/lib/registry/proto-codec.js';

const generated = protoCodec(Ping);

const anyPing = fc.record({
  timestamp: fc.oneof(fc.nat(), fc.maxSafeNat()),
  uptime: fc.oneof(fc.nat({max: 300}), fc.integer({min: 0, max: 0xffff_ffff})),
  signal: fc.oneof(fc.integer({min: -130, max: 130}), fc.integer({min: -0x8000_0000, max: 0x7fff_ffff})),
  ip: fc.oneof(fc.ipV4(), fc.ipV6(), fc.string({unit: 'grapheme'})),
});

/** What a decoder makes of bytes: the message, or that it refuses. */
function outcome(decode: typeof generated.decode, bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return decode(bytes, start, end);
  } catch {
    return 'refused';
  }
}

describe('pingCodec', () => {
  it('reads every Ping as the generated decoder does, wherever it lies in a chunk', () => {
    fc.assert(
      fc.property(anyPing, fc.uint8Array({maxLength: 20}), fc.uint8Array({maxLength: 20}), (fields, before, after) => {
        const ping = Ping.create(fields);
        const payload = pingCodec.encode(ping);
        const chunk = Buffer.concat([before, payload, after]);
        const read = pingCodec.decode(chunk, before.length, before.length + payload.length);
        expect(read).toEqual(generated.decode(chunk, before.length, before.length + payload.length));
        if (ping.ip.isWellFormed()) expect(read).toEqual(ping);
      }),
      {numRuns: 2000},
    );
  });

  it('judges any bytes as the generated decoder does', () => {
    const tags = fc.constantFrom(0x08, 0x10, 0x18, 0x22, 0x0a, 0x28, 0xff, 0x80, 0x00);
    const bytes = fc.array(
      fc.oneof({weight: 1, arbitrary: tags}, {weight: 2, arbitrary: fc.integer({min: 0, max: 255})}),
      {
        maxLength: 30,
      },
    );
    fc.assert(
      fc.property(bytes, fc.nat({max: 5}), (values, behind) => {
        const chunk = Buffer.from(values);
        const end = Math.max(0, chunk.length - behind);
        expect(outcome(pingCodec.decode, chunk, 0, end)).toEqual(outcome(generated.decode, chunk, 0, end));
      }),
      {numRuns: 20_000},
    );
  });

  it('refuses to encode what a field cannot hold', () => {
    for (const wrong of [{uptime: -1}, {uptime: 2 ** 32}, {timestamp: 1.5}, {timestamp: 2 ** 53}, {signal: 2 ** 31}]) {
      expect(() => pingCodec.encode(Ping.create(wrong))).toThrow(RangeError);
    }
  });
});
