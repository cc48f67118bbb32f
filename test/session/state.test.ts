import {describe, expect, it} from 'vitest';
import {MessageRegistry} from '../../src/lib/registry/index.js';
import {admits, nextState, type SessionInput, type SessionState} from '../../src/lib/session/index.js';

describe('a session', () => {
  const table: [SessionState, SessionInput, SessionState | undefined][] = [
    ['fresh', 'loginAccepted', 'online'],
    ['fresh', 'closed', 'closed'],
    ['online', 'loginAccepted', 'online'],
    ['online', 'closed', 'closed'],
    ['closed', 'loginAccepted', undefined],
    ['closed', 'closed', 'closed'],
  ];
  it.each(table)('%s after %s is %s', (state, input, next) => {
    expect(nextState(state, input)).toBe(next);
  });

  it('serves before the login what leads to it, after it everything, after the end nothing', () => {
    const names = new MessageRegistry()
      .list()
      .filter(({direction}) => direction === 'up')
      .map(({name}) => name);
    const served = (state: SessionState): string[] => names.filter((name) => admits(state, name));
    expect(served('fresh')).toEqual(['RegisterReq', 'LoginReq', 'Ping', 'ErrorMsg']);
    expect(served('online')).toEqual(names);
    expect(served('closed')).toEqual([]);
    expect(admits('fresh', 'Mine')).toBe(false);
  });
});
