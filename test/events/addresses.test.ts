import {describe, expect, it} from 'vitest';
import {isPrivateAddress} from '../../src/lib/events/addresses.js';
import {checkTarget} from '../../src/lib/events/index.js';

describe('addresses that a webhook must not go to', () => {
  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:10::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:c0a8:101::1',
    '3fff::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%lo',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
    '127.1',
  ])('%j', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.0.1.0',
    '223.255.255.255',
    '2400:3200::1',
    '2606:4700:4700::1111',
  ])('but %j is public', (address) => {
    expect(isPrivateAddress(address)).toBe(false);
  });
});

describe("a webhook's address", () => {
  const strict = {allowPrivate: false, allowHttp: false};
  const http = {allowPrivate: false, allowHttp: true};
  const all = {allowPrivate: true, allowHttp: true};

  it.each([
    'https://shop.example/hook',
    'https://shop.example:8443/hook?a=1',
    'https://商店.example/',
    'HTTPS://SHOP.EXAMPLE',
  ])('may be %j', (url) => {
    expect(checkTarget(url, strict).protocol).toBe('https:');
  });

  it.each([
    ['http://shop.example/', strict],
    ['shop.example', all],
    ['', all],
    ['file:///etc/passwd', all],
    ['ftp://shop.example/', all],
    ['gopher://shop.example/', all],
    ['https://user@shop.example/', all],
    ['https://:secret@shop.example/', all],
    [`https://${'a.'.repeat(130)}example/`, all],
    ['https://shop.example:22/', strict],
    ['https://8.8.8.8/', strict],
    ['https://127.0.0.1/', http],
    ['https://127.1/', http],
    ['https://2130706433/', http],
    ['https://0x7f000001/', http],
    ['https://0177.0.0.1/', http],
    ['https://１２７.０.０.１/', http],
    ['https://127。0。0。1/', http],
    ['https://[::1]/', http],
    ['https://[::]/', http],
    ['https://[::ffff:127.0.0.1]/', http],
    ['https://[::7f00:1]/', http],
    ['https://[64:ff9b::7f00:1]/', http],
    ['https://[::ffff:0:127.0.0.1]/', http],
    ['https://[2002:7f00:1::]/', http],
    ['http://169.254.169.254/latest/meta-data/', http],
  ] as const)('may not be %j', (url, rules) => {
    expect(() => checkTarget(url, rules)).toThrow(expect.objectContaining({code: 'EVENT_URL'}));
  });

  it('may be an address, plain http or private, when that is allowed', () => {
    expect(checkTarget('http://8.8.8.8:8080/hook', http).host).toBe('8.8.8.8:8080');
    expect(checkTarget('http://127.0.0.1:81/hook', all).host).toBe('127.0.0.1:81');
    expect(checkTarget('https://[::1]/hook#part', all).href).toBe('https://[::1]/hook');
  });
});
