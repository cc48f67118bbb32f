import fc from 'fast-check';
import {expect, it} from 'vitest';
import {type Log, rateLimitedLog} from '../../src/lib/observe/index.js';

function setup(options: {intervalMs: number; maxKeys: number}) {
  const logged: [level: string, fields: object, message: string][] = [];
  const note = (level: string) => (fields: object, message: string) => void logged.push([level, fields, message]);
  const log: Log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
    child: () => log,
  };
  const clock = {time: 0};
  return {logged, clock, limited: rateLimitedLog(log, {...options, now: () => clock.time})};
}

it('logs once per key and interval, and then says how many were left out', () => {
  const {logged, clock, limited} = setup({intervalMs: 100, maxKeys: 10});
  for (let i = 0; i < 5; i++) limited.warn('a', {i}, 'refused');
  limited.info('b', {}, 'other');
  clock.time = 100;
  limited.warn('a', {i: 5}, 'refused');
  clock.time = 200;
  limited.warn('a', {i: 6}, 'refused');
  expect(logged).toEqual([
    ['warn', {i: 0}, 'refused'],
    ['info', {}, 'other'],
    ['warn', {i: 5, suppressed: 4}, 'refused'],
    ['warn', {i: 6}, 'refused'],
  ]);
});

it('never logs more than one line more than keys in an interval, however many keys there are', () => {
  const {logged, clock, limited} = setup({intervalMs: 100, maxKeys: 10});
  for (let i = 0; i < 1000; i++) limited.warn(`stranger ${i}`, {}, 'x');
  expect(logged).toHaveLength(11);
  clock.time = 100;
  limited.warn('stranger 999', {}, 'x');
  expect(logged).toHaveLength(12);
});

it('keeps to that bound for any order of keys and times', () => {
  const events = fc.array(fc.tuple(fc.integer({min: 0, max: 30}), fc.integer({min: 0, max: 60})), {maxLength: 200});
  fc.assert(
    fc.property(events, (steps) => {
      const {logged, clock, limited} = setup({intervalMs: 100, maxKeys: 5});
      const times: number[] = [];
      for (const [key, pause] of steps) {
        clock.time += pause;
        const before = logged.length;
        limited.warn(`${key}`, {}, 'x');
        if (logged.length > before) times.push(clock.time);
      }
      for (const start of times) {
        expect(times.filter((time) => time >= start && time < start + 100).length).toBeLessThanOrEqual(2 * 6);
      }
    }),
  );
});
