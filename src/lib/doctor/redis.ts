import {Redis} from 'ioredis';
import {messageOf} from '../errors.js';
import {type Finding, ok, problem} from './finding.js';

const LIMIT_MS = 1500;

/** Whether the Redis of a `dsn` answers. The dsn may hold a password: only host and port are shown. */
export async function checkRedis(dsn: string): Promise<Finding> {
  const {host} = new URL(dsn);
  const redis = new Redis(dsn, {
    lazyConnect: true,
    connectTimeout: LIMIT_MS,
    commandTimeout: LIMIT_MS,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  // What goes wrong also comes as an event, which would end the process; the commands below tell it.
  let fault: Error | undefined;
  redis.on('error', (error: Error) => {
    fault ??= error;
  });
  try {
    await redis.connect();
    const before = performance.now();
    await redis.ping();
    return ok(`Redis at ${host} answers in ${(performance.now() - before).toFixed(1)} ms`);
  } catch (error) {
    return problem(
      `Redis at ${host} does not answer: ${messageOf(fault ?? error)}`,
      'Start it, or correct idempotency.dsn: without it orders are refused.',
    );
  } finally {
    redis.disconnect();
  }
}
