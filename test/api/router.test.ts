import {describe, expect, it} from 'vitest';
import {Router} from '../../src/lib/api/router.js';

const router = new Router<string>();
for (const [method, path] of [
  ['GET', '/orders'],
  ['GET', '/orders/:order_no'],
  ['POST', '/orders/create'],
  ['POST', '/orders/:id/stop'],
  ['GET', '/orders/:order_no/events'],
  ['GET', '/orders/last/figures'],
] as const) {
  router.add(method, path, `${method} ${path}`);
}

describe('a path', () => {
  it.each([
    ['GET', '/orders', 'GET /orders', {}],
    ['GET', '/orders/A-1', 'GET /orders/:order_no', {order_no: 'A-1'}],
    ['GET', '/orders/a%20b%2Fc', 'GET /orders/:order_no', {order_no: 'a b/c'}],
    ['GET', '/orders/__proto__', 'GET /orders/:order_no', {order_no: '__proto__'}],
    ['POST', '/orders/create', 'POST /orders/create', {}],
    ['POST', '/orders/A-1/stop', 'POST /orders/:id/stop', {id: 'A-1'}],
    ['GET', '/orders/last/figures', 'GET /orders/last/figures', {}],
    // A fixed segment goes first, but does not hide what others would find.
    ['GET', '/orders/create', 'GET /orders/:order_no', {order_no: 'create'}],
    ['GET', '/orders/last/events', 'GET /orders/:order_no/events', {order_no: 'last'}],
  ])('%s %s', (method, path, route, params) => {
    const found = router.find(method, path);
    expect([found.route, found.params]).toEqual([route, params]);
  });

  it.each([
    ['/', []],
    ['', []],
    ['*', []],
    ['/order', []],
    ['/orders/', []],
    ['/orders//stop', []],
    ['/orders/A-1/', []],
    ['/orders/A-1/stop/now', []],
    ['/ORDERS', []],
    ['/orders', ['GET']],
    ['/orders/create', ['POST', 'GET']],
    ['/orders/A-1/stop', ['POST']],
  ])('DELETE %s has nothing, but for %j', (path, allowed) => {
    const found = router.find('DELETE', path);
    expect([found.route, [...found.allowed]]).toEqual([undefined, allowed]);
  });

  it('that is not UTF-8 is refused', () => {
    expect(() => router.find('GET', '/orders/%ff')).toThrow('the path is not UTF-8');
  });

  it('cannot be there twice', () => {
    expect(() => router.add('GET', '/orders/:other', 'again')).toThrow('is there twice');
  });
});
