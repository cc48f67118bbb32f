import {describe, expect, it} from 'vitest';
import {type Idempotency, memoryIdempotency, redisIdempotency} from '../../src/lib/cluster/index.js';
import {quiet} from '../e2e/site.js';
import {collectingLog} from '../observe/collect.js';
import {freePort, RedisServer} from './redis.js';

/** Tries until the promise is kept; what it rejects with until then has to be this code. */
async function eventually<T>(work: () => Promise<T>, code: string): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      expect(error).toMatchObject({code});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

async function claimsOnce(one: Idempotency, other: Idempotency): Promise<void> {
  expect(one.ready).toBe(true);
  const claims = await Promise.all(Array.from({length: 100}, (_, n) => (n % 2 ? one : other).claim('order:1', 'a')));
  expect(claims.filter((claim) => claim === 'new')).toHaveLength(1);
  expect(claims.filter((claim) => claim === 'same')).toHaveLength(99);
  expect(await other.claim('order:1', 'b')).toBe('other');
  expect(await one.claim('order:1', 'a')).toBe('same');
  expect(await one.claim('order:2', 'b')).toBe('new');
  // Nothing that a key may hold is taken for anything else.
  for (const key of ['__proto__', 'constructor', 'a\nb', '键', 'x'.repeat(2000), '']) {
    expect(await one.claim(key, key)).toBe('new');
    expect(await other.claim(key, key)).toBe('same');
    expect(await other.claim(key, `${key} `)).toBe('other');
  }
}

describe('in memory', () => {
  it('a key is claimed once', async () => {
    const memory = memoryIdempotency();
    await claimsOnce(memory, memory);
    await memory.close();
  });

  it('the oldest claims are forgotten, so that memory stays bounded', async () => {
    const memory = memoryIdempotency();
    for (let n = 0; n <= 100_000; n++) void memory.claim(`k-${n}`, 'v');
    expect(await memory.claim('k-1', 'v')).toBe('same');
    expect(await memory.claim('k-0', 'v')).toBe('new');
  });
});

describe('in Redis', () => {
  it('a key is claimed once, by all servers together, and remembered when they restart', async () => {
    const redis = await new RedisServer(await freePort()).start();
    const [one, other] = [await redisIdempotency(redis.dsn, quiet), await redisIdempotency(redis.dsn, quiet)];
    await claimsOnce(one, other);
    await Promise.all([one.close(), other.close()]);
    const again = await redisIdempotency(redis.dsn, quiet);
    expect(await again.claim('order:1', 'a')).toBe('same');
    await again.close();
  });

  it('that is away at the start is found when it comes', async () => {
    const redis = new RedisServer(await freePort());
    const claims = await redisIdempotency(redis.dsn, quiet);
    expect(claims.ready).toBe(false);
    await expect(claims.claim('k', 'v')).rejects.toMatchObject({
      code: 'IDEMPOTENCY_UNAVAILABLE',
      hint: expect.stringContaining('idempotency.dsn'),
    });
    await redis.start();
    expect(await eventually(() => claims.claim('k', 'v'), 'IDEMPOTENCY_UNAVAILABLE')).toBe('new');
    expect(claims.ready).toBe(true);
    await claims.close();
  });

  it('that hangs is not waited for, and is found again when it goes on', async () => {
    const redis = await new RedisServer(await freePort()).start();
    const claims = await redisIdempotency(redis.dsn, quiet);
    expect(await claims.claim('before', 'v')).toBe('new');
    redis.stop();
    await expect(claims.claim('k', 'v')).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    await eventually(async () => {
      if (claims.ready) throw Object.assign(new Error('still ready'), {code: 'READY'});
    }, 'READY');
    await expect(claims.claim('k', 'v')).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    redis.go();
    // What was written to it while it hung may have been done: then it is ours, and the device is asked first.
    const claim = await eventually(() => claims.claim('k', 'v'), 'IDEMPOTENCY_UNAVAILABLE');
    expect(['new', 'same']).toContain(claim);
    expect(await claims.claim('before', 'v')).toBe('same');
    await claims.close();
  });

  it('that is killed and started anew is found again', async () => {
    const redis = await new RedisServer(await freePort()).start();
    const claims = await redisIdempotency(redis.dsn, quiet);
    const pending = Array.from({length: 50}, (_, n) => claims.claim(`k-${n}`, 'v'));
    const outcome = Promise.allSettled(pending);
    await redis.kill();
    for (const result of await outcome) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
      else expect(result.value).toBe('new');
    }
    await expect(claims.claim('k', 'v')).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    await redis.start();
    expect(await eventually(() => claims.claim('k', 'v'), 'IDEMPOTENCY_UNAVAILABLE')).toBe('new');
    await claims.close();
  });

  it('refuses a wrong password without telling it to anybody, and says once that Redis is away, once that it is back', async () => {
    const {log, text} = collectingLog();
    const redis = await new RedisServer(await freePort(), 'right-secret').start();
    const wrong = await redisIdempotency(redis.dsn.replace('right', 'wr0ng'), log);
    const failure = await wrong.claim('k', 'v').catch((error: unknown) => error);
    expect(failure).toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    log.error({err: failure}, 'refused');
    await wrong.close();
    expect(text()).toContain('Redis is away');
    expect(text()).not.toContain('wr0ng-secret');

    const right = await redisIdempotency(redis.dsn, log);
    expect(await right.claim('k', 'v')).toBe('new');
    await redis.kill();
    const away = await right.claim('k', 'v').catch((error: unknown) => error);
    log.error({err: away}, 'refused');
    await redis.start();
    await eventually(() => right.claim('k', 'v'), 'IDEMPOTENCY_UNAVAILABLE');
    await right.close();
    expect(text()).not.toContain('right-secret');
    const words = text().match(/Redis is (away|connected)/g);
    expect(words).toEqual(['Redis is away', 'Redis is connected', 'Redis is away', 'Redis is connected']);
  });

  it('leaves nothing behind when it is closed, even while it hangs', async () => {
    const redis = await new RedisServer(await freePort()).start();
    const claims = await redisIdempotency(redis.dsn, quiet);
    redis.stop();
    const pending = claims.claim('k', 'v');
    await claims.close();
    await expect(pending).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    await expect(claims.claim('k', 'v')).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    redis.go();
  });
});
