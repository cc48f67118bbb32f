import {describe, expect, it} from 'vitest';
import {QueryRsp} from '../../src/lib/registry/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {Queries} from '../../src/lib/session/queries.js';

function open(): {wheel: DeadlineWheel; queries: Queries} {
  const wheel = new DeadlineWheel();
  return {wheel, queries: new Queries(wheel)};
}
const answer = (orderId: string, state = 2): QueryRsp => QueryRsp.create({orderId, state});

describe('open questions', () => {
  it('are told from what nobody asked', async () => {
    const {wheel, queries} = open();
    expect(queries.isAsked('a')).toBe(false);
    expect(queries.answer(answer('a'))).toBe(false);
    const asked = queries.ask('a', 1000);
    expect([queries.isAsked('a'), queries.isAsked('b'), queries.isAsked('')]).toEqual([true, false, false]);
    expect(queries.answer(answer('b'))).toBe(false);
    expect(queries.answer(answer('a'))).toBe(true);
    expect(await asked).toMatchObject({orderId: 'a', state: 2});
    expect(queries.answer(answer('a'))).toBe(false);
    expect(wheel.size).toBe(0);
  });

  it('about the same order are answered in turn', async () => {
    const {queries} = open();
    const first = queries.ask('a', 1000);
    const second = queries.ask('a', 1000);
    queries.answer(answer('a', 1));
    expect(queries.isAsked('a')).toBe(true);
    queries.answer(answer('a', 2));
    expect([(await first).state, (await second).state]).toEqual([1, 2]);
  });

  it('end in time, each its own', async () => {
    const {wheel, queries} = open();
    const short = queries.ask('short', 500);
    const long = queries.ask('long', 5000);
    wheel.advance(700);
    await expect(short).rejects.toMatchObject({code: 'QUERY_TIMEOUT', message: /short within 500 ms/});
    expect([queries.isAsked('short'), queries.isAsked('long')]).toEqual([false, true]);
    queries.close();
    await expect(long).rejects.toMatchObject({code: 'CONNECTION_CLOSED'});
    expect(wheel.size).toBe(0);
  });

  it('are answered, the oldest first, by an "order not found" that names none', async () => {
    const {queries} = open();
    expect(queries.answerUnknown()).toBe(false);
    const first = queries.ask('a', 1000);
    const second = queries.ask('b', 1000);
    expect(queries.answerUnknown()).toBe(true);
    expect(await first).toMatchObject({orderId: 'a', code: 6});
    expect(queries.isAsked('b')).toBe(true);
    queries.close();
    await expect(second).rejects.toThrow('b was answered');
  });

  it('end with the connection even when several end in the same tick', async () => {
    const {wheel, queries} = open();
    const all = ['a', 'b', 'c'].map((id) => queries.ask(id, 100));
    wheel.advance(300);
    for (const one of await Promise.allSettled(all)) {
      expect(one).toMatchObject({status: 'rejected', reason: {code: 'QUERY_TIMEOUT'}});
    }
    queries.close();
  });
});
