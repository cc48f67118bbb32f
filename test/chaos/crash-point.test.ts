import {expect, it} from 'vitest';
import {armCrashPoint} from '../../src/lib/server/crash-point.js';
import type {Store} from '../../src/lib/store/index.js';

const log = {info: () => {}, warn: () => {}, error: () => {}};

it('crash points touch nothing unless they are asked for, and refuse what is none', () => {
  const run = () => Promise.reject(new Error('not called'));
  const store = {run} as unknown as Store;
  armCrashPoint(store, log, undefined);
  for (const words of ['', 'orders.reportCoin', 'during:orders.reportCoin:1', 'before:orders.reportCoin:0']) {
    expect(() => armCrashPoint(store, log, words)).toThrow(expect.objectContaining({code: 'CRASH_POINT'}));
  }
  expect(store.run).toBe(run);
  armCrashPoint(store, log, 'after:orders.reportCoin:2');
  expect(store.run).not.toBe(run);
});
