import type {Log} from './log.js';

export interface RateLimitOptions {
  /** One line per key in this time; 60 s unless given. */
  intervalMs?: number;
  /** Keys that are told apart; all others share one. 256 unless given. */
  maxKeys?: number;
  /** Milliseconds that never go back. */
  now?: () => number;
}

export interface RateLimitedLog {
  /** Logs once per key and interval; the next line of the key says in `suppressed` how many were left out. */
  warn(key: string, fields: object, message: string): void;
  info(key: string, fields: object, message: string): void;
}

interface Window {
  since: number;
  suppressed: number;
}

const OTHERS = '(others)';

/**
 * A log for what strangers can cause as often as they like: never more than `maxKeys` + 1 lines per interval, however
 * many keys there are, and memory bounded likewise. It has no timer.
 */
export function rateLimitedLog(log: Log, options: RateLimitOptions = {}): RateLimitedLog {
  const {intervalMs = 60_000, maxKeys = 256, now = () => performance.now()} = options;
  // In the order in which the windows began, so the oldest are at the front.
  const windows = new Map<string, Window>();

  function limited(level: 'warn' | 'info', wanted: string, fields: object, message: string): void {
    const time = now();
    const key = windows.has(wanted) || hasRoom(time) ? wanted : OTHERS;
    const window = windows.get(key);
    if (window !== undefined && time - window.since < intervalMs) {
      window.suppressed++;
      return;
    }
    windows.delete(key);
    windows.set(key, {since: time, suppressed: 0});
    const suppressed = window?.suppressed ?? 0;
    log[level](suppressed > 0 ? {...fields, suppressed} : fields, message);
  }

  function hasRoom(time: number): boolean {
    for (const [key, {since}] of windows) {
      if (windows.size < maxKeys || time - since < intervalMs) break;
      windows.delete(key);
    }
    return windows.size < maxKeys;
  }

  return {
    warn: (key, fields, message) => limited('warn', key, fields, message),
    info: (key, fields, message) => limited('info', key, fields, message),
  };
}
