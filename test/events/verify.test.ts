import {describe, expect, it} from 'vitest';
import {signRequest, verifyWebhook} from '../../src/lib/events/index.js';

const SECRET = 'whsec-demo';
const NOW = 1_762_866_601_000;
const PATH = '/webhook/iot';
const body = Buffer.from('{"event_id":"e-1"}');

/** The headers that the server sends. */
function headers(change: Record<string, string> = {}, secret = SECRET): Record<string, string> {
  const request = {method: 'POST', path: PATH, timestamp: '1762866601', nonce: '5f3e9a10', body};
  return {
    'x-timestamp': request.timestamp,
    'x-nonce': request.nonce,
    'x-signature': signRequest(secret, request),
    ...change,
  };
}

describe('a receiver', () => {
  const verify = (given: Record<string, string>, more: object = {}) =>
    verifyWebhook({path: PATH, headers: given, body, secrets: [SECRET], now: NOW, ...more});

  it('knows what its server has signed', () => {
    expect(verify(headers())).toEqual({ok: true});
  });

  it('knows it by the new secret or the old one while they change', () => {
    expect(verify(headers({}, 'the-new-secret'), {secrets: [SECRET, 'the-new-secret']})).toEqual({ok: true});
    const both = headers({'x-signature-others': headers()['x-signature'] ?? ''}, 'the-new-secret');
    expect(verify(both)).toEqual({ok: true});
  });

  it.each([
    ['another body', headers(), {body: Buffer.from('{"event_id":"e-2"}')}],
    ['another path', headers(), {path: '/webhook'}],
    ['another nonce', headers({'x-nonce': 'ffffffff'}), {}],
    ['another time', headers({'x-timestamp': '1762866602'}), {}],
    ['a signature in upper case', headers({'x-signature': (headers()['x-signature'] ?? '').toUpperCase()}), {}],
    ['a signature that is too short', headers({'x-signature': 'ab'}), {}],
    ['no signature', headers({'x-signature': ''}), {}],
    ['no headers at all', {}, {}],
    ['another secret', headers({}, 'another secret'), {}],
  ])('refuses %s', (_, given, more) => {
    expect(verify(given, more)).toEqual({ok: false, reason: 'signature'});
  });

  it('refuses what is older, or younger, than five minutes', () => {
    expect(verify(headers(), {now: NOW + 300_000})).toEqual({ok: true});
    expect(verify(headers(), {now: NOW + 301_000})).toEqual({ok: false, reason: 'time'});
    expect(verify(headers(), {now: NOW - 301_000})).toEqual({ok: false, reason: 'time'});
  });
});
