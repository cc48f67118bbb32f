import {describe, expect, it} from 'vitest';
import {forgetOld} from '../../src/lib/api/operations.js';
import {PaynetError} from '../../src/lib/errors.js';
import {literalPorts, startTestApi, tempFile} from './support.js';

const BODY = {device_id: 'PB-0001', coins: 3, timeout_seconds: 60};
const HEADERS = {'idempotency-key': 'till-7/4711'};
const DAY_MS = 24 * 60 * 60 * 1000;

describe('a coin order', () => {
  it('under its own number is one order, and another content is refused', async () => {
    const {call, ports} = await startTestApi();
    const body = {...BODY, order_no: 'A-1'};
    const first = await call('POST', '/api/v1/coin-orders', {body});
    expect([first.status, first.json.data.order_no]).toEqual([202, 'A-1']);
    expect((await call('POST', '/api/v1/third/coin-orders', {body})).status).toBe(202);
    const other = await call('POST', '/api/v1/coin-orders', {body: {...body, coins: 4}});
    expect([other.status, other.json.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    expect(ports.orderBook.size).toBe(1);
  });

  it('without a number gets one of its own', async () => {
    const {call, ports} = await startTestApi();
    await Promise.all(Array.from({length: 20}, () => call('POST', '/api/v1/coin-orders', {body: BODY})));
    expect(ports.orderBook.size).toBe(20);
    for (const number of ports.orderBook.keys()) expect(number).toMatch(/^THD1762863000000[0-9A-Z]{8}$/);
  });
});

describe('an Idempotency-Key', () => {
  it('gives the first answer again, in another process too', async () => {
    const path = tempFile();
    const first = await startTestApi({path});
    const made = await first.call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS});
    expect([made.status, made.headers['idempotency-replayed']]).toEqual([202, undefined]);
    await first.api.close();
    await first.store.close();

    const second = await startTestApi({path});
    const again = await second.call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS, key: first.key});
    expect([again.status, again.headers['idempotency-replayed']]).toEqual([202, 'true']);
    expect(again.json.data).toEqual(made.json.data);
    expect(again.json.request_id).not.toBe(made.json.request_id);
    expect(second.ports.orderBook.size).toBe(0);
  });

  it('with another body or path is refused, and of another caller is another', async () => {
    const {call, keyOf, ports} = await startTestApi();
    await call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS});
    for (const body of [
      {...BODY, coins: 4},
      {...BODY, order_no: 'A-1'},
    ]) {
      const answer = await call('POST', '/api/v1/coin-orders', {body, headers: HEADERS});
      expect([answer.status, answer.json.error_code]).toEqual([409, 'IDEMPOTENCY_CONFLICT']);
    }
    const path = await call('POST', '/api/v1/third/coin-orders', {body: BODY, headers: HEADERS});
    expect(path.json.error_code).toBe('IDEMPOTENCY_CONFLICT');
    expect(ports.orderBook.size).toBe(1);
    const key = await keyOf('write');
    expect((await call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS, key})).status).toBe(202);
    expect(ports.orderBook.size).toBe(2);
  });

  it('used by many at the same time makes one order', async () => {
    const {call, ports} = await startTestApi();
    const answers = await Promise.all(
      Array.from({length: 10}, () => call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS})),
    );
    expect(new Set(answers.map(({status}) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({json}) => json.data.order_no)).size).toBe(1);
    expect(ports.orderBook.size).toBe(1);
  });

  it('makes the same order when the first try ended between order and answer', async () => {
    const ports = literalPorts();
    const numbers: string[] = [];
    const orders = {
      ...ports.orders,
      createCoin: async (order: Parameters<typeof ports.orders.createCoin>[0]) => {
        numbers.push(order.orderNo);
        if (numbers.length === 1) throw new PaynetError('STORE_UNCERTAIN', 'the connection was lost');
        return ports.orders.createCoin(order);
      },
    };
    const {call} = await startTestApi({ports: {...ports, orders}});
    const first = await call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS});
    expect([first.status, first.json.error_code]).toEqual([503, 'UNCERTAIN']);
    expect((await call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS})).status).toBe(202);
    expect(numbers).toHaveLength(2);
    expect(numbers[0]).toBe(numbers[1]);
  });

  it('is free again after 24 hours, swept or not', async () => {
    const {call, clock, ports, store} = await startTestApi();
    const order = () => call('POST', '/api/v1/coin-orders', {body: BODY, headers: HEADERS});
    await order();
    clock.now += DAY_MS - 1;
    expect((await order()).headers['idempotency-replayed']).toBe('true');
    clock.now += 1;
    expect((await order()).headers['idempotency-replayed']).toBeUndefined();
    expect(ports.orderBook.size).toBe(2);
    await store.run(forgetOld, {now: clock.now, before: clock.now});
    expect((await order()).headers['idempotency-replayed']).toBeUndefined();
    expect(ports.orderBook.size).toBe(3);
  });

  it('that cannot be one is refused', async () => {
    const {call, ports} = await startTestApi();
    for (const given of ['', 'with space', 'x'.repeat(129), '\u00e4']) {
      const headers = {'idempotency-key': given};
      const answer = await call('POST', '/api/v1/coin-orders', {body: BODY, headers});
      expect([given, answer.json.error_code]).toEqual([given, 'INVALID_PARAMETER']);
    }
    expect(ports.asked).toEqual([]);
  });
});
