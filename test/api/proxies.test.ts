import type {IncomingMessage} from 'node:http';
import {describe, expect, it} from 'vitest';
import {createAddressOf} from '../../src/lib/api/proxies.js';

const from = (remoteAddress: string, told?: string): IncomingMessage =>
  ({socket: {remoteAddress}, headers: {'x-forwarded-for': told}}) as unknown as IncomingMessage;

describe('the address of a sender', () => {
  const addressOf = createAddressOf(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);

  it.each([
    ['203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['::ffff:10.1.2.3', '198.51.100.1', '198.51.100.1'],
    ['2001:db8::1', '198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', undefined, '10.1.2.3'],
    ['10.1.2.3', '', '10.1.2.3'],
    ['10.1.2.3', 'nonsense', '10.1.2.3'],
    // Whoever sends may write what he likes at the beginning.
    ['10.1.2.3', '1.1.1.1, 198.51.100.1', '198.51.100.1'],
    ['10.1.2.3', '1.1.1.1, 198.51.100.1, 192.0.2.7', '198.51.100.1'],
    ['10.1.2.3', '10.9.9.9', '10.9.9.9'],
  ])('over %s, which tells "%s", is %s', (socket, told, address) => {
    expect(addressOf(from(socket, told))).toBe(address);
  });

  it('is that of the connection where no proxy is trusted', () => {
    expect(createAddressOf()(from('10.1.2.3', '198.51.100.1'))).toBe('10.1.2.3');
  });

  it.each(['', 'localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '::/129', '10.0.0'])(
    'no proxy: "%s"',
    (proxy) => {
      expect(() => createAddressOf([proxy])).toThrow(expect.objectContaining({code: 'PROXY_INVALID'}));
    },
  );
});
