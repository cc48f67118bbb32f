import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {printable} from '../../src/lib/observe/index.js';

const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

describe('printable', () => {
  test.each([
    ['device001', 'device001'],
    ['支付盒子 ✓ 🎉', '支付盒子 ✓ 🎉'],
    ['a\nb\r\tc', 'a\\x0ab\\x0d\\x09c'],
    ['\x1b[31mred\x1b]0;title\x07', '\\x1b[31mred\\x1b]0;title\\x07'],
    ['\x7f\x9b1m', '\\x7f\\x9b1m'],
    ['a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
    ['a\u2028b\u2029c', 'a\\u{2028}b\\u{2029}c'],
    ['\ud800x', '\\u{d800}x'],
    ['\u{e0041}', '\\u{e0041}'],
    ['\0', '\\x00'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('cuts at the limit, never within a character', () => {
    expect(printable('abcdef', 6)).toBe('abcdef');
    expect(printable('abcdefg', 6)).toBe('abcde…');
    expect(printable('abcd🎉🎉', 6)).toBe('abcd…');
    expect(printable('x'.repeat(1_000_000))).toHaveLength(200);
  });

  it('never shows anything unprintable or too long, whatever it is given', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 400}), fc.integer({min: 2, max: 300}), (text, max) => {
        const shown = printable(text, max);
        expect(shown).not.toMatch(UNPRINTABLE);
        expect(shown.length).toBeLessThanOrEqual(max);
      }),
    );
  });
});
