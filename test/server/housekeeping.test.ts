import {join} from 'node:path';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi} from 'vitest';
import {eventListing} from '../../src/lib/events/index.js';
import {eventDead, eventPushed} from '../../src/lib/events/operations.js';
import {removeWithin} from '../../src/lib/events/prune.js';
import {startHousekeeping} from '../../src/lib/server/housekeeping.js';
import type {EventState, Store, StoreTarget} from '../../src/lib/store/index.js';
import {quiet} from '../e2e/site.js';
import * as op from '../events/operations.js';
import {TIME} from '../events/operations.js';
import {open, tempFolder} from '../events/support.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const ALL = {limit: 10_000, offset: 0};

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

// Only the timer of the hour is the test's: the stores have their own.
beforeEach(() => void vi.useFakeTimers({toFake: ['setInterval', 'clearInterval']}));
afterEach(() => void vi.useRealTimers());

async function tell(store: Store, orderNo: string, daysAgo: number, count = 1): Promise<number[]> {
  await store.run(op.createOrder, orderNo);
  await store.run(op.tell, {orderNo, count, at: TIME - daysAgo * DAY});
  return (await eventListing.page(store, {orderNo}, ALL)).map(({id}) => id);
}

async function push(store: Store, ids: readonly number[], daysAgo: number): Promise<void> {
  await Promise.all(ids.map((id) => store.run(eventPushed, {id, at: TIME - daysAgo * DAY})));
}

/** Which orders have events left, and in which states. */
async function left(store: Store): Promise<string[]> {
  const rows = await eventListing.page(store, {}, ALL);
  return [...new Set(rows.map(({order_no: orderNo, state}) => `${orderNo} ${state satisfies EventState}`))].sort();
}

/** Lets an hour pass, and what begins then end. */
async function afterAnHour(store: Store, posted: boolean): Promise<string[]> {
  const timers = vi.getTimerCount();
  const housekeeping = startHousekeeping({store, posted, log: quiet, now: () => TIME});
  const prune = vi.spyOn(store, 'run');
  vi.advanceTimersByTime(HOUR - 1);
  expect(prune).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  // Stopping ends it after the part that is under way.
  await vi.waitFor(async () => {
    expect(await prune.mock.results.at(-1)?.value).toMatchObject({after: undefined});
  });
  await housekeeping.stop();
  expect(vi.getTimerCount()).toBe(timers);
  prune.mockRestore();
  return left(store);
}

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  const start = async (): Promise<Store> =>
    open(
      engine === 'sqlite'
        ? {engine, path: join(tempFolder(), 'paynet.db')}
        : {engine, dsn: await postgres.newDatabase(), poolSize: 4},
    );

  async function filled(): Promise<Store> {
    const store = await start();
    await tell(store, 'waiting-long', 91);
    const dead = await tell(store, 'given-up', 200);
    await Promise.all(dead.map((id) => store.run(eventDead, {id, at: TIME - 190 * DAY, error: 'gone'})));
    // More than one part of them.
    await push(store, await tell(store, 'old', 100, 1100), 91);
    await push(store, await tell(store, 'old-but-pushed-late', 100), 89);
    await push(store, await tell(store, 'young', 89), 89);
    await tell(store, 'waiting', 89);
    return store;
  }

  it('what was pushed more than 90 days ago goes, and nothing else where a webhook may still come', async () => {
    expect(await afterAnHour(await filled(), true)).toEqual([
      'given-up dead',
      'old-but-pushed-late pushed',
      'waiting waiting',
      'waiting-long waiting',
      'young pushed',
    ]);
  });

  it('what waits for as long goes too where there is no webhook', async () => {
    expect(await afterAnHour(await filled(), false)).toEqual([
      'given-up dead',
      'old-but-pushed-late pushed',
      'waiting waiting',
      'young pushed',
    ]);
  });

  it('goes along the numbers of the events', async () => {
    const target: StoreTarget =
      engine === 'sqlite'
        ? {engine, path: join(tempFolder(), 'paynet.db')}
        : {engine, dsn: await postgres.newDatabase()};
    await open(target);
    const params = {after: 0, last: 500, pushedBefore: TIME, waitingBefore: TIME};
    const plan = (await explain(target, removeWithin, params)).join('\n');
    expect(plan).toMatch(engine === 'sqlite' ? /PRIMARY KEY \(rowid>\? AND rowid<\?\)/ : /events_pkey/);
  });

  it('does nothing after its end', async () => {
    const store = await start();
    await push(store, await tell(store, 'old', 100), 91);
    await startHousekeeping({store, posted: true, log: quiet, now: () => TIME}).stop();
    const run = vi.spyOn(store, 'run');
    vi.advanceTimersByTime(3 * HOUR);
    expect(run).not.toHaveBeenCalled();
    expect(await left(store)).toEqual(['old pushed']);
  });
});
