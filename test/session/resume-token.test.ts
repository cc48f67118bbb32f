import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {isId} from '../../src/lib/registry/index.js';
import {ResumeTokens} from '../../src/lib/session/index.js';

const HOUR = 3_600_000;
const key = Buffer.alloc(32, 7);

describe('a resume token', () => {
  it('is good for its device until its time has passed', () => {
    const tokens = new ResumeTokens(key, HOUR);
    const token = tokens.issue('device001', 1000);
    expect(tokens.isGood(token, 'device001', 1000)).toBe(true);
    expect(tokens.isGood(token, 'device001', 999 + HOUR)).toBe(true);
    expect(tokens.isGood(token, 'device001', 1000 + HOUR)).toBe(false);
  });

  it('is good for no other device, process or key', () => {
    const tokens = new ResumeTokens();
    const token = tokens.issue('device001');
    for (const other of ['device002', 'device00', 'device0011', '', 'DEVICE001'])
      expect(tokens.isGood(token, other)).toBe(false);
    expect(new ResumeTokens().isGood(token, 'device001')).toBe(false);
  });

  it('is another one every time', () => {
    const tokens = new ResumeTokens(key);
    expect(tokens.issue('device001', 5)).not.toBe(tokens.issue('device001', 5));
  });

  it('is not good after any change of its bytes', () => {
    const tokens = new ResumeTokens(key);
    const token = tokens.issue('device001');
    const bytes = Buffer.from(token.slice(3), 'base64url');
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 0x80]) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ bit;
        const shown = `r1.${changed.toString('base64url')}`;
        expect(tokens.isGood(shown, 'device001')).toBe(false);
        // Nor for the device that the changed bytes name.
        expect(tokens.isGood(shown, changed.subarray(28).toString('utf8'))).toBe(false);
      }
    }
    for (let length = 0; length < token.length; length++) {
      expect(tokens.isGood(token.slice(0, length), 'device001')).toBe(false);
    }
    expect(tokens.isGood(`${token}AAAA`, 'device001')).toBe(false);
    expect(tokens.isGood(token.slice(3), 'device001')).toBe(false);
  });

  it('is good for the longest of ids, in any script', () => {
    const tokens = new ResumeTokens(key);
    const ids = fc.oneof(
      fc.constant('盒'.repeat(128)),
      fc.constant('😀'.repeat(64)),
      fc.string({unit: 'binary', maxLength: 128}),
    );
    fc.assert(
      fc.property(ids, (id) => {
        fc.pre(isId(id));
        expect(tokens.isGood(tokens.issue(id), id)).toBe(true);
      }),
    );
  });

  it('is never found in text from a stranger, however long', () => {
    const tokens = new ResumeTokens(key);
    fc.assert(
      fc.property(fc.string({maxLength: 600}), (text) => {
        expect(tokens.isGood(text, 'device001')).toBe(false);
        expect(tokens.isGood(`r1.${text}`, 'device001')).toBe(false);
      }),
    );
    for (const length of [1000, 65_000]) expect(tokens.isGood(`r1.${'A'.repeat(length)}`, '')).toBe(false);
  });
});
