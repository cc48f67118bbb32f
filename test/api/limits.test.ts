import {describe, expect, it} from 'vitest';
import {Buckets, networkOf} from '../../src/lib/api/buckets.js';
import {NOW, send, startTestApi} from './support.js';

describe('buckets', () => {
  it('give a burst, then a rate', () => {
    const buckets = new Buckets({perSecond: 2, burst: 3});
    expect([1, 2, 3, 4].map(() => buckets.take('a', NOW))).toEqual([0, 0, 0, 1]);
    expect(buckets.take('b', NOW)).toBe(0);
    expect(buckets.take('a', NOW + 499)).toBe(1);
    expect(buckets.take('a', NOW + 500)).toBe(0);
    expect(buckets.take('a', NOW + 500)).toBe(1);
    // A pause is worth the burst and no more.
    expect([1, 2, 3, 4].map(() => buckets.take('a', NOW + 1_000_000))).toEqual([0, 0, 0, 1]);
  });

  it('say how long to wait, and take nothing when only looked at', () => {
    const buckets = new Buckets({perSecond: 0.1, burst: 1});
    expect([buckets.look('a', NOW), buckets.look('a', NOW), buckets.take('a', NOW)]).toEqual([0, 0, 0]);
    expect([buckets.look('a', NOW), buckets.take('a', NOW + 4000)]).toEqual([10, 6]);
  });

  it('survive a clock that is set back', () => {
    const buckets = new Buckets({perSecond: 1, burst: 2});
    buckets.take('a', NOW);
    expect(buckets.take('a', NOW - 3_600_000)).toBe(0);
    expect(buckets.take('a', NOW - 3_600_000)).toBe(1);
    expect(buckets.take('a', NOW - 3_599_000)).toBe(0);
  });

  it('are bounded, and forget who was longest away', () => {
    const buckets = new Buckets({perSecond: 0.001, burst: 1}, 3);
    for (const name of ['a', 'b', 'c', 'a', 'd']) buckets.take(name, NOW);
    expect(buckets.size).toBe(3);
    expect(buckets.look('a', NOW)).toBeGreaterThan(0);
    expect(buckets.look('b', NOW)).toBe(0);
  });
});

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['2001:db8:1:2::', '2001:db8:1:2'],
    ['::1', '0:0:0:0'],
  ])('of %s is %s', (address, network) => {
    expect(networkOf(address)).toBe(network);
  });
});

describe('over HTTP', () => {
  const one = {perSecond: 0.5, burst: 2};

  it('a key has its rate', async () => {
    const {call, keyOf, clock} = await startTestApi({limits: {perKey: one}});
    const other = await keyOf('read');
    const statuses = [];
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await call('GET', '/api/v1/stats')).status);
    expect(statuses).toEqual([200, 200, 429]);
    const refused = await call('GET', '/api/v1/stats');
    expect([refused.json.error_code, refused.headers['retry-after']]).toEqual(['RATE_LIMITED', '2']);
    expect((await call('GET', '/api/v1/stats', {key: other})).status).toBe(200);
    clock.now += 2000;
    expect((await call('GET', '/api/v1/stats')).status).toBe(200);
  });

  it('an address has its rate, and cannot say that it is another', async () => {
    const {port} = await startTestApi({limits: {perAddress: one}});
    const statuses = [];
    for (let turn = 0; turn < 3; turn += 1) {
      statuses.push((await send(port, 'GET', '/api/docs', {'x-forwarded-for': `192.0.2.${turn}`})).status);
    }
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('behind a proxy that is listed the address is the one it tells', async () => {
    const {port} = await startTestApi({limits: {perAddress: one}, trustProxy: ['127.0.0.1']});
    for (let turn = 0; turn < 4; turn += 1) {
      const answer = await send(port, 'GET', '/api/docs', {'x-forwarded-for': `192.0.2.${turn}`});
      expect(answer.status).toBe(200);
    }
  });

  it('all together have a rate', async () => {
    const {port} = await startTestApi({limits: {total: one}});
    const statuses = [];
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await send(port, 'GET', '/api/docs')).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  it('who fails too often is refused, but nobody who is known', async () => {
    const {call, port} = await startTestApi({limits: {failedAuth: one}});
    expect((await call('GET', '/api/v1/stats')).status).toBe(200);
    const guess = {'x-api-key': `pnk_000000000000_${'A'.repeat(43)}`};
    const statuses = [];
    for (let turn = 0; turn < 4; turn += 1) statuses.push((await send(port, 'GET', '/api/v1/stats', guess)).status);
    expect(statuses).toEqual([401, 401, 429, 429]);
    expect((await call('GET', '/api/v1/stats')).status).toBe(200);
    const forged = await call('GET', '/api/v1/stats', {headers: {'x-signature': '0'.repeat(64)}});
    expect([forged.status, forged.headers['retry-after']]).toEqual([429, '2']);
  });
});
