import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {isId} from '../../src/lib/registry/index.js';

describe('an id', () => {
  it.each(['o-1', 'device001', '订单-42', 'a b', 'é', '😀', 'x'.repeat(128), 'a/b', '..', '__proto__'])(
    'may be %s',
    (id) => {
      expect(isId(id)).toBe(true);
    },
  );

  it.each<[string, string]>([
    ['nothing', ''],
    ['longer than 128', 'x'.repeat(129)],
    ['with the sign that broken UTF-8 becomes', 'a\uFFFDb'],
    ['with NUL', 'a\0'],
    ['of two lines', 'a\nb'],
    ['with an escape', '\x1b[31m'],
    ['with DEL', 'a\x7f'],
    ['with a C1 control', 'a\x85'],
    ['that turns the direction of text', 'a\u202Eb'],
    ['with an isolate', 'a\u2066b'],
    ['with an Arabic letter mark', 'a\u061Cb'],
    ['with a zero-width space', 'a\u200Bb'],
    ['with a word joiner', 'a\u2060b'],
    ['with a byte order mark', '\uFEFFa'],
    ['with half of a pair', 'a\uD800'],
    ['with the other half', '\uDC00a'],
    ['with a line separator', 'a\u2028'],
    ['beginning with a space', ' a'],
    ['ending with a space', 'a '],
    ['ending with an ideographic space', 'a\u3000'],
    ['of a space', ' '],
    ['with a soft hyphen', 'a\u00ADb'],
    ['with a tag character', 'a\u{E0041}'],
    ['with an invisible Hangul filler', 'a\u3164'],
    ['with a variation selector', 'a\uFE0F'],
  ])('is none %s', (_, id) => {
    expect(isId(id)).toBe(false);
  });

  it('survives its way over the wire: no two become equal', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary'}), (text) => {
        fc.pre(isId(text));
        expect(Buffer.from(text, 'utf8').toString('utf8')).toBe(text);
      }),
    );
  });

  it('is none when its bytes were no UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({minLength: 1, maxLength: 40}), (raw) => {
        const text = Buffer.from(raw).toString('utf8');
        if (Buffer.from(text, 'utf8').equals(raw)) return;
        expect(isId(text)).toBe(false);
      }),
      {numRuns: 1000},
    );
  });
});
