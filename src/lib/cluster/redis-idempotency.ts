import {messageOf, PaynetError} from '../errors.js';
import type {Claim, Idempotency} from './idempotency.js';

const COMMAND_TIMEOUT_MS = 1000;
const PREFIX = 'paynet:claim:';
/** Device claims and order numbers are kept this long after they were first made. */
const KEEP_SECONDS = 90 * 24 * 60 * 60;

/** One step on the server: the value that holds the key afterwards. A resent command reads its own first write. */
const CLAIM = `
local held = redis.call('GET', KEYS[1])
if held then return {0, held} end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return {1, ARGV[1]}`;

export interface ConnectionLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * In Redis, shared by all servers. Resolves when connected, or after a second without: Redis may come later. Nothing is
 * queued while it is away: a claim is refused within a second, and what depends on it with it. `dsn` may hold a
 * password; it is never logged.
 */
export async function redisIdempotency(dsn: string, log: ConnectionLog): Promise<Idempotency> {
  // Loaded where it is used: a server without Redis has no need of it.
  const {Redis} = await import('ioredis');
  const redis = new Redis(dsn, {
    commandTimeout: COMMAND_TIMEOUT_MS,
    connectTimeout: COMMAND_TIMEOUT_MS,
    // A Redis that hangs is left: `ready` says so, and later claims are refused at once.
    socketTimeout: COMMAND_TIMEOUT_MS,
    disconnectTimeout: 500,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (times) => Math.min(100 * 2 ** Math.min(times, 6), 5000),
  });
  let told: boolean | undefined;
  let closing = false;
  const tell = (up: boolean, error?: Error): void => {
    if (told === up || closing) return;
    told = up;
    if (up) log.info({}, 'Redis is connected');
    else log.warn({reason: error === undefined ? 'closed' : messageOf(error)}, 'Redis is away');
  };
  redis.on('ready', () => tell(true));
  redis.on('error', (error: Error) => tell(false, error));
  redis.on('close', () => tell(false));
  await new Promise<void>((resolve) => {
    const go = (): void => {
      clearTimeout(timer);
      redis.off('ready', go).off('close', go);
      resolve();
    };
    const timer = setTimeout(go, COMMAND_TIMEOUT_MS);
    redis.on('ready', go).on('close', go);
  });
  return {
    get ready() {
      return redis.status === 'ready';
    },
    async claim(key, value): Promise<Claim> {
      const answer = await redis.eval(CLAIM, 1, PREFIX + key, value, KEEP_SECONDS).catch((error: unknown) => {
        throw new PaynetError('IDEMPOTENCY_UNAVAILABLE', `Redis does not answer: ${messageOf(error)}`, {
          cause: error,
          hint: 'Check idempotency.dsn and that Redis is up; the request was not carried out.',
        });
      });
      const [first, held] = answer as [number, string];
      if (first === 1) return 'new';
      return held === value ? 'same' : 'other';
    },
    async close() {
      closing = true;
      redis.disconnect();
    },
  };
}
