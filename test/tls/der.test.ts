import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {DerCursor, DerError, serialOf, Tag, timeOf} from '../../src/lib/tls/der.js';

const cursor = (hex: string) => new DerCursor(Buffer.from(hex, 'hex'));

describe('the DER cursor', () => {
  it('walks and descends', () => {
    const outer = cursor('3006020101020102').expect(Tag.sequence);
    const inner = outer.enter();
    expect(inner.expect(Tag.integer).value).toEqual(Buffer.from([1]));
    expect(inner.peek()).toBe(Tag.integer);
    inner.next();
    expect(inner.more).toBe(false);
    expect(inner.peek()).toBe(-1);
    inner.finish();
    outer.finish();
  });

  it.each([
    ['nothing', ''],
    ['half a header', '30'],
    ['a length past the end', '300101'.slice(0, 4)],
    ['an indefinite length', '30800000'],
    ['a length of five bytes', '308500000000013000'],
    ['a length that is too long a form', '30810100'],
    ['a length with a leading zero', '3082000100'],
    ['a length cut off', '3082'],
    ['a tag of several bytes', '1f8101'],
  ])('refuses %s', (_, hex) => {
    expect(() => cursor(hex).next()).toThrow(DerError);
  });

  it('does not let an inner element reach past its outer one', () => {
    const inner = cursor('300302020101').expect(Tag.sequence).enter();
    expect(() => inner.next()).toThrow(DerError);
  });

  it('ends on any bytes, and never reads past them', () => {
    fc.assert(
      fc.property(fc.uint8Array({maxLength: 64}), (bytes) => {
        const walk = new DerCursor(Buffer.from(bytes));
        try {
          while (walk.more) walk.next();
        } catch (error) {
          if (!(error instanceof DerError)) throw error;
        }
        expect(walk.end).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });
});

describe('values', () => {
  it.each([
    ['020101', '01'],
    ['02020081', '81'],
    ['02020a0b', '0A0B'],
    ['020100', '00'],
    ['02040000000f', '0F'],
  ])('reads the serial number %s', (hex, serial) => {
    expect(serialOf(cursor(hex).expect(Tag.integer))).toBe(serial);
  });

  const time = (tag: string, text: string): number => {
    const value = Buffer.from(text, 'latin1');
    const element = cursor(tag + value.length.toString(16).padStart(2, '0') + value.toString('hex'));
    element.next();
    return timeOf(element);
  };

  it.each([
    ['17', '261120214238Z', Date.UTC(2026, 10, 20, 21, 42, 38)],
    ['17', '491231235959Z', Date.UTC(2049, 11, 31, 23, 59, 59)],
    ['17', '500101000000Z', Date.UTC(1950, 0, 1)],
    ['18', '20510101000000Z', Date.UTC(2051, 0, 1)],
    ['18', '99991231235959Z', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('reads the time %s %s', (tag, text, expected) => {
    expect(time(tag, text)).toBe(expected);
  });

  it.each([
    ['17', '2611202142Z'],
    ['17', '261120214238+0100'],
    ['17', '26112021423 Z'],
    ['17', '261320214238Z'],
    ['17', '261100214238Z'],
    ['17', '261120244238Z'],
    ['18', '20261120214238.5Z'],
    ['18', '261120214238Z'],
    ['04', '261120214238Z'],
  ])('refuses the time %s %s', (tag, text) => {
    expect(() => time(tag, text)).toThrow(DerError);
  });
});
