import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {pongPayload} from '../../src/lib/link/paynet/pong.js';
import {Pong} from '../../src/lib/registry/index.js';

describe('the Pong of a heartbeat', () => {
  it('is what ts-proto writes, for any time', () => {
    const times = fc.oneof(
      fc.maxSafeNat(),
      fc.constantFrom(0, 1, 127, 128, 2 ** 31, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER),
    );
    fc.assert(
      fc.property(fc.array(times, {minLength: 1, maxLength: 4}), (list) => {
        // The first again at the end: the last one made is kept.
        for (const timestamp of [...list, list[0] ?? 0]) {
          const expected = Pong.encode(Pong.create({timestamp})).finish();
          expect(Buffer.from(pongPayload(timestamp))).toEqual(Buffer.from(expected));
        }
      }),
    );
  });

  it('is not written to again: an earlier one may still wait to be sent', () => {
    const first = pongPayload(1_000_000);
    const copy = Buffer.from(first);
    pongPayload(2_000_000);
    expect(Buffer.from(first)).toEqual(copy);
  });
});
