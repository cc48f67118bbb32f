import {createServer} from 'node:tls';
import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {rotateTicketKeys} from '../../src/lib/tls/index.js';

describe('ticket keys', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('are new at once, after each interval and on demand, until stopped', () => {
    const server = createServer();
    const seen: string[] = [];
    const look = () => seen.push(server.getTicketKeys().toString('hex'));
    look();
    const keys = rotateTicketKeys(server, 1000);
    look();
    vi.advanceTimersByTime(1000);
    look();
    keys.rotateNow();
    look();
    expect(new Set(seen).size).toBe(4);
    keys.stop();
    keys.stop();
    vi.advanceTimersByTime(10_000);
    look();
    expect(seen[4]).toBe(seen[3]);
  });

  it.each([0, -1, 1.5, 2 ** 31, Number.NaN])('refuse an interval of %d ms', (everyMs) => {
    expect(() => rotateTicketKeys(createServer(), everyMs)).toThrow(RangeError);
  });
});
