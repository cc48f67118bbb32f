import fc from 'fast-check';
import {describe, expect, it, test} from 'vitest';
import {formatAddress, listenError, parseAddress} from '../../src/lib/config/index.js';

describe('parseAddress', () => {
  test.each([
    [':443', {port: 443}],
    [':0', {port: 0}],
    ['paynet.example.com:443', {host: 'paynet.example.com', port: 443}],
    ['127.0.0.1:8443', {host: '127.0.0.1', port: 8443}],
    ['[::1]:443', {host: '::1', port: 443}],
  ])('%s', (text, address) => {
    expect(parseAddress(text)).toEqual(address);
    expect(formatAddress(address)).toBe(text);
  });

  test.each([
    ['443', '"443" has no port: write it like ":443"'],
    ['host', '"host" has no port: write it like "host:443" or ":443"'],
    ['host:', '"host:": the port must be a number from 0 to 65535'],
    ['host:65536', '"host:65536": the port must be a number from 0 to 65535'],
    ['host:-1', '"host:-1": the port must be a number from 0 to 65535'],
    ['host:1e3', '"host:1e3": the port must be a number from 0 to 65535'],
    ['::1:443', '"::1:443": an IPv6 address needs brackets, like "[::1]:443"'],
    ['[host]:443', '"[host]:443": what stands in brackets must be an IPv6 address'],
    ['a b:443', '"a b:443": the host must be a name or an IP address'],
    ['-x:443', '"-x:443": the host must be a name or an IP address'],
    ['redis://user:hunter2@host:443', 'a URL is no address: write only host:port'],
  ])('refuses %s', (text, message) => {
    expect(() => parseAddress(text)).toThrow(expect.objectContaining({code: 'ADDRESS_INVALID', message}));
  });

  it('reads back what formatAddress wrote, or refuses with its own error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const address = parseAddress(text);
          expect(parseAddress(formatAddress(address))).toEqual(address);
        } catch (error) {
          expect(error).toMatchObject({code: 'ADDRESS_INVALID'});
        }
      }),
    );
  });
});

test.each([
  ['EADDRINUSE', 'PORT_IN_USE', 'port 443 is already in use (server.addr is ":443")'],
  ['EACCES', 'PORT_FORBIDDEN', 'port 443 may not be opened (server.addr is ":443")'],
  ['EADDRNOTAVAIL', 'ADDRESS_UNAVAILABLE', '":443" is no address of this machine (server.addr)'],
  ['EMFILE', 'LISTEN_FAILED', 'cannot listen on ":443" (server.addr): EMFILE happened'],
])('a listen that ends with %s is %s', (systemCode, code, message) => {
  const cause = Object.assign(new Error(`${systemCode} happened`), {code: systemCode});
  expect(listenError(cause, {port: 443}, 'server.addr')).toMatchObject({code, message, cause, exitCode: 1});
});
