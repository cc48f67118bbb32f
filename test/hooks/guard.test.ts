import {describe, expect, it} from 'vitest';
import {guardHooks, type HookAnswer, type Hooks} from '../../src/lib/hooks/index.js';
import {keepingLog, ORDER} from './support.js';

const LOGIN = {deviceId: 'D1', version: '1.0', resumed: false, address: '192.0.2.1'};
const UNDECIDED = {refuse: 'the server could not decide'};

/** Guarded hooks with a clock and timers that the test moves. */
function guard(hooks: Hooks, limitMs?: number) {
  const log = keepingLog();
  const clock = {now: 0};
  const timers = new Map<number, {ms: number; call: () => void}>();
  let last = 0;
  const guarded = guardHooks(hooks, {
    log,
    now: () => clock.now,
    ...(limitMs !== undefined && {limitMs}),
    after(ms, call) {
      last += 1;
      const id = last;
      timers.set(id, {ms, call});
      return () => timers.delete(id);
    },
  });
  return {guarded, log, clock, timers};
}

/** Hooks whose order hook answers this, as a JavaScript project may write it. */
const answering = (order: () => unknown): Hooks => ({order: order as () => HookAnswer});

describe('a guarded hook', () => {
  it('gets the request, as a method of its object, and its answer is passed on', () => {
    const hooks = {
      refused: new Set(['D1']),
      asked: [] as unknown[],
      login(request: {deviceId: string}): HookAnswer {
        this.asked.push(request);
        return this.refused.has(request.deviceId) ? {refuse: 'not this one'} : true;
      },
    };
    const {guarded, log} = guard(hooks);
    expect(guarded.login?.(LOGIN)).toEqual({refuse: 'not this one'});
    expect(guarded.login?.({...LOGIN, deviceId: 'D2'})).toBe(true);
    expect(hooks.asked).toEqual([LOGIN, {...LOGIN, deviceId: 'D2'}]);
    expect(log.lines).toEqual([]);
  });

  it('is there only when the project has it', () => {
    const {guarded} = guard({login: () => true});
    expect([guarded.register, guarded.order]).toEqual([undefined, undefined]);
    expect(guarded.login).toBeTypeOf('function');
  });

  it('that answers at once costs neither a promise nor a timer, also when it fails', () => {
    const {guarded, timers} = guard({
      register: () => true,
      login: () => ({refuse: 'no'}),
      order: () => {
        throw new Error('broken');
      },
    });
    const {register, login, order} = guarded;
    const certificate = {subject: 'D1', serial: '0A'};
    expect(register?.({deviceSn: 'D1', model: 'M', firmware: '1', certificate, address: '192.0.2.1'})).toBe(true);
    expect(login?.(LOGIN)).toEqual({refuse: 'no'});
    expect(order?.(ORDER)).toEqual(UNDECIDED);
    expect(timers.size).toBe(0);
  });

  it('may answer later, and its timer ends then', async () => {
    const {guarded, timers, log} = guard({
      login: async () => true as const,
      order: async () => ({refuse: 'no credit'}),
    });
    const [login, order] = [guarded.login?.(LOGIN), guarded.order?.(ORDER)];
    expect([...timers.values()].map(({ms}) => ms)).toEqual([5000, 5000]);
    expect(await login).toBe(true);
    expect(await order).toEqual({refuse: 'no credit'});
    expect(timers.size).toBe(0);
    expect(log.lines).toEqual([]);
  });
});

describe('a hook that fails', () => {
  const shapes: [string, () => unknown][] = [
    ['undefined', () => undefined],
    ['false', () => false],
    ['text', () => 'true'],
    ['null', () => null],
    ['a number', () => 1],
    ['an empty object', () => ({})],
    ['a reason that is no text', () => ({refuse: true})],
    ['a promise of something else', async () => 'yes'],
    ['a promise that is rejected', () => Promise.reject(new Error('the database is away'))],
    ['a promise that is rejected with nothing', () => Promise.reject()],
    // biome-ignore lint/suspicious/noThenProperty: that is what is tried
    ['something like a promise that throws', () => ({then: () => JSON.parse('{')})],
    ['something that cannot be looked at', () => new Proxy({}, {get: () => JSON.parse('{'), has: () => true})],
    ['an error', () => JSON.parse('{')],
    [
      'an error that is none',
      () => {
        throw Object.create(null);
      },
    ],
  ];

  it.each(shapes)('refuses, is counted and logged: it answers with %s', async (_, order) => {
    const {guarded, log, timers} = guard(answering(order));
    expect(await guarded.order?.(ORDER)).toEqual(UNDECIDED);
    expect(guarded.failures).toEqual({register: 0, login: 0, order: 1});
    expect(log.lines).toMatchObject([{level: 'warn', fields: {hook: 'order', failures: 1}}]);
    expect(timers.size).toBe(0);
  });

  it('says why in the log, and not to who asked', async () => {
    const {guarded, log} = guard(answering(() => Promise.reject(new Error('password of db.internal'))));
    expect(await guarded.order?.(ORDER)).toEqual(UNDECIDED);
    expect(log.lines[0]?.fields.err).toMatchObject({message: 'password of db.internal'});
  });

  it('refuses when it takes too long; what it answers then is of no use', async () => {
    const waiting: {resolve(answer: unknown): void; reject(error: Error): void}[] = [];
    const slow = () => new Promise((resolve, reject) => waiting.push({resolve, reject}));
    const {guarded, log, timers} = guard(answering(slow), 100);
    const answers = [guarded.order?.(ORDER), guarded.order?.(ORDER), guarded.order?.(ORDER)];
    expect([...timers.values()].map(({ms}) => ms)).toEqual([100, 100, 100]);
    for (const [id, {call}] of [...timers]) {
      timers.delete(id);
      call();
    }
    expect(await Promise.all(answers)).toEqual([UNDECIDED, UNDECIDED, UNDECIDED]);
    // No unhandled rejection, which would end the test, and none is counted twice.
    waiting[0]?.resolve(true);
    waiting[1]?.reject(new Error('late'));
    waiting[2]?.resolve('late');
    await new Promise(setImmediate);
    expect(guarded.failures.order).toBe(3);
    expect(log.lines).toHaveLength(1);
    expect(log.lines[0]?.message).toBe('a hook took longer than 100 ms; that refuses');
  });

  it('is logged once a minute for each way of failing, with how often', () => {
    const {guarded, log, clock} = guard(answering(() => false));
    for (let second = 0; second < 120; second += 1) {
      expect(guarded.order?.(ORDER)).toEqual(UNDECIDED);
      clock.now += 1000;
    }
    expect(guarded.failures.order).toBe(120);
    expect(log.lines.map(({fields}) => fields)).toEqual([
      {hook: 'order', failures: 1},
      {hook: 'order', failures: 61, suppressed: 59},
    ]);
  });
});

describe('the reason of a refusal', () => {
  const reasonOf = (refuse: string): string => {
    const answer = guard({order: () => ({refuse})}).guarded.order?.(ORDER);
    return (answer as {refuse: string}).refuse;
  };

  it('has at most 200 characters', () => {
    expect(reasonOf('x'.repeat(200))).toBe('x'.repeat(200));
    expect(reasonOf('x'.repeat(100_000))).toBe(`${'x'.repeat(199)}…`);
  });

  it('steers no terminal and forges no line', () => {
    expect(reasonOf('no\ncredit\u001b[2J\u202e')).toBe('no\\x0acredit\\x1b[2J\\u{202e}');
  });

  it('is never empty', () => {
    expect([reasonOf(''), reasonOf(' \n')]).toEqual(['refused', 'refused']);
  });
});

it('has a real timer where none is given', async () => {
  const guarded = guardHooks({order: () => new Promise(() => {})}, {log: keepingLog(), limitMs: 1});
  expect(await guarded.order?.(ORDER)).toEqual(UNDECIDED);
});
