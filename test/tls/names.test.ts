import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {UsageError} from '../../src/lib/errors.js';
import {fileNameFor} from '../../src/lib/tls/files.js';
import {checkedCn, isDnsName, nameOfCn, parseSan} from '../../src/lib/tls/names.js';

describe('common names', () => {
  it.each(['device001', 'A', '_box', '7', 'a.b-c_d', 'x'.repeat(64)])('takes %s', (name) => {
    expect(checkedCn(name)).toBe(name);
    expect(fileNameFor(name)).toBe(name);
  });

  it.each([
    ['', 'empty'],
    ['../x', '"/"'],
    ['..', 'begin with "."'],
    ['.hidden', 'begin with "."'],
    ['-rf', 'begin with "-"'],
    ['a/b', '"/" (character 2)'],
    ['a\\b', '"\\"'],
    ['dev\0ice', '"\\u{0000}" (character 4)'],
    ['dev\nice', '"\\u{000a}"'],
    ['dev\x1b[31m', '"\\u{001b}"'],
    ['CN=dev, O=evil', '"="'],
    ['dev,O=evil', '","'],
    ['dev ice', '" "'],
    ['设备', '"\\u{8bbe}"'],
    ['dev\u202Eice', '"\\u{202e}"'],
    ['a'.repeat(65), '65 characters'],
    ['a'.repeat(300), '300 characters'],
  ])('refuses %j and says why', (name, why) => {
    expect(() => checkedCn(name)).toThrow(UsageError);
    expect(() => checkedCn(name)).toThrow(why);
  });

  it('never lets anything through that could leave a folder or break a line', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 70}), (name) => {
        try {
          expect(checkedCn(name)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
          expect((error as Error).message).toMatch(/^[\x20-\x7e…]+$/);
        }
      }),
    );
  });
});

describe('alternative names', () => {
  it.each([
    ['gateway.example.com', 'dns', 'gateway.example.com'],
    ['DNS:gateway', 'dns', 'gateway'],
    ['dns:*.example.com', 'dns', '*.example.com'],
    ['192.0.2.10', 'ip', '192.0.2.10'],
    ['IP:2001:db8::1', 'ip', '2001:db8::1'],
    ['2001:db8::1', 'ip', '2001:db8::1'],
    ['::1', 'ip', '::1'],
  ])('reads %s', (text, type, value) => {
    expect(parseSan(text)).toEqual({type, value});
  });

  it.each([
    '',
    'DNS:',
    'IP:gateway',
    'IP:1.2.3',
    '300.1.1.1',
    'fe80::1%eth0',
    '*.com',
    '*',
    'a.*.com',
    '-a.com',
    'a..b',
    'a b',
    'a,DNS:b',
    'a\nb',
    'email:a@b.c',
    'URI:https://a',
    'münchen.de',
    `${'a'.repeat(64)}.com`,
    `${'a.'.repeat(127)}`,
  ])('refuses %j', (text) => {
    expect(() => parseSan(text)).toThrow(UsageError);
  });

  it('repeats a common name in the form that fits it', () => {
    expect(nameOfCn('device001', 'device')).toEqual({type: 'dns', value: 'device001'});
    expect(nameOfCn('box_7', 'device')).toEqual({type: 'uri', value: 'urn:paynet:device:box_7'});
    expect(nameOfCn('10.0.0.1', 'device')).toEqual({type: 'uri', value: 'urn:paynet:device:10.0.0.1'});
    expect(nameOfCn('a'.repeat(64), 'device').type).toBe('uri');
    expect(nameOfCn('10.0.0.1', 'server')).toEqual({type: 'ip', value: '10.0.0.1'});
    expect(() => nameOfCn('box_7', 'server')).toThrow(UsageError);
  });

  it('takes no DNS name that a URL parser would read as an address', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-fx.]{1,12}$/), (name) => {
        fc.pre(isDnsName(name) && name.includes('.'));
        expect(name).not.toMatch(/\.\d+$/);
      }),
    );
  });
});
