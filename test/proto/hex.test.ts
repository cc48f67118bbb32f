import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeFrame} from '../../src/lib/frame/index.js';
import {isText, parseHex} from '../../src/lib/proto/index.js';
import {refusal} from './support.js';

describe('parseHex', () => {
  const right: [string, string][] = [
    ['0001fe', '0001fe'],
    ['00 01 FE', '0001fe'],
    ['00:01:fe', '0001fe'],
    ['0x00, 0x01, 0xFE', '0001fe'],
    ['0x0001fe', '0001fe'],
    ['  00\n01\r\n\tfe  ', '0001fe'],
    ['\ufeff00 01', '0001'],
    ['', ''],
    [' \n', ''],
  ];
  it.each(right)('reads %j', (text, hex) => expect(parseHex(text).toString('hex')).toBe(hex));

  const wrong: [string, string][] = [
    ['00 0g', '"g" is no hex digit (position 5)'],
    ['0x', '"0x" has an odd number'],
    ['00 1', '"1" has an odd number of hex digits (position 4)'],
    ['00 01\n02 zz', '"z" is no hex digit (line 2, column 4)'],
    ['00 0x0x', '"x" is no hex digit (position 7)'],
    ['00-01', '"-" is no hex digit (position 3)'],
    ['00 \u001b[2J', '"\\u001b" is no hex digit (position 4)'],
    ['00 付', '"付" is no hex digit (position 4)'],
    [`${'0'.repeat(10_001)}`, 'odd number of hex digits'],
  ];
  it.each(wrong)('refuses %j and says where', (text, why) => {
    expect(refusal(() => parseHex(text))).toMatchObject({code: 'HEX_INVALID', message: expect.stringContaining(why)});
  });

  it('reads any bytes in any of its spellings', () => {
    const bytes = fc.uint8Array({maxLength: 40});
    const separator = fc.constantFrom('', ' ', ':', '\n', ', ', ' 0x');
    fc.assert(
      fc.property(bytes, separator, fc.boolean(), (wanted, between, upper) => {
        const pairs = [...wanted].map((byte) => byte.toString(16).padStart(2, '0'));
        const text =
          (between.includes('0x') ? ' 0x' : '') +
          pairs.map((pair) => (upper ? pair.toUpperCase() : pair)).join(between);
        fc.pre(wanted.length > 0);
        expect([...parseHex(text)]).toEqual([...wanted]);
      }),
    );
  });
});

describe('isText', () => {
  it('tells hex text from frames', () => {
    expect(isText(Buffer.from('00 0x01:\r\n\tzz 付'))).toBe(true);
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({maxLength: 300}), (type, payload) => {
        expect(isText(encodeFrame(type, payload))).toBe(false);
      }),
    );
  });
});
