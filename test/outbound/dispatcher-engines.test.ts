import {setImmediate} from 'node:timers/promises';
import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {commandById, enqueueCommand} from '../../src/lib/outbound/index.js';
import type {StoreTarget} from '../../src/lib/store/index.js';
import {sqliteTarget} from '../orders/store.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {QueueBench} from './bench.js';
import {withdraw} from './operations.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

/** PostgreSQL takes longer for each. */
const RUNS = {sqlite: 300, postgres: 150};
const LONG_MS = 120_000;
const START = {kind: 'startCharge', priority: 2};

describe.each(['sqlite', 'postgres'] as const)('on %s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()};

  it(
    'of sending, cancelling and expiry exactly one wins, and nothing expired or cancelled is written',
    async () => {
      const bench = await QueueBench.start(await target());
      const seen = {sent: 0, cancelled: 0, expired: 0};
      let run = 0;
      const turns = fc.array(fc.constantFrom(0, 1, 2, 3, 3, 3), {minLength: 8, maxLength: 8});
      const order = fc.shuffledSubarray(['send', 'cancel', 'clock'] as const, {minLength: 3, maxLength: 3});
      const race = fc.asyncProperty(order, turns, fc.array(fc.constantFrom(0, 0, 0, 500, 1000), {maxLength: 3}), check);
      await fc.assert(race, {numRuns: RUNS[engine]});
      for (const [outcome, count] of Object.entries(seen)) expect(count, outcome).toBeGreaterThan(0);

      async function check(actors: ('send' | 'cancel' | 'clock')[], gaps: number[], jumps: number[]): Promise<void> {
        const [id, deviceId] = [`C${run}`, `R${run}`];
        run += 1;
        bench.online.add(deviceId);
        const expiresAt = bench.now + 1000;
        const delays = [...gaps];
        // The answers of the store come early or late, and the clock goes on meanwhile.
        const delay = async (): Promise<void> => {
          for (let left = delays.pop() ?? 0; left > 0; left -= 1) await setImmediate();
          bench.now += jumps.pop() ?? 0;
        };
        bench.before = delay;
        bench.after = delay;
        bench.onWrite = ({ack}) => ack();
        await bench.store.run(enqueueCommand, bench.command(id, {...START, deviceId, expiresAt}));
        let isCancelled: Promise<boolean> | undefined;
        const act = {
          send: () => bench.dispatcher.commandStored(deviceId),
          cancel: () => {
            isCancelled = bench.store.run(withdraw, {id, at: bench.now});
          },
          clock: () => {
            bench.now += 1000;
            bench.wheel.advance(1000);
          },
        };
        for (const [index, actor] of actors.entries()) {
          act[actor]();
          const gap = gaps[index] ?? 0;
          if (gap === 3) await bench.settled();
          else for (let left = gap; left > 0; left -= 1) await setImmediate();
        }
        const cancelled = await isCancelled;
        await bench.settled();
        await bench.pass(2);
        const written = bench.written.filter(({command}) => command.id === id);
        const ended = bench.ended.filter((line) => line.startsWith(`${id} `));
        const row = await bench.store.readFirst(commandById, {id});
        expect(written.every(({at}) => at < expiresAt)).toBe(true);
        if (written.length > 0) {
          seen.sent += 1;
          expect([cancelled, row?.state, ended]).toEqual([false, 'done', [`${id} done`]]);
          expect(written).toHaveLength(1);
        } else if (cancelled === true) {
          seen.cancelled += 1;
          expect([row?.state, row?.attempts, ended]).toEqual(['cancelled', 0, []]);
        } else {
          seen.expired += 1;
          expect([row?.state, row?.attempts, ended]).toEqual(['expired', 0, [`${id} expired: not sent in time`]]);
        }
      }
    },
    LONG_MS,
  );

  it('sends, tries again, gives up and takes over', async () => {
    const bench = await QueueBench.start(await target());
    await bench.send('low', {priority: 9});
    await bench.send('start', {...START, deviceId: 'D2'});
    await bench.send('high', {priority: 0});
    await bench.send('middle', {priority: 5});
    await bench.fail('COMMAND_REFUSED');
    expect([bench.ids, bench.ended]).toEqual([['low', 'start'], ['start refused: told so']]);
    bench.written[0]?.ack();
    await bench.settled();
    expect(bench.ids.at(-1)).toBe('high');
    await bench.fail('CONNECTION_CLOSED');
    expect([bench.ids.at(-1), await bench.stored('high')]).toEqual(['middle', ['waiting', 1]]);
    expect(bench.dispatcher.waiting).toBe(1);
    await bench.restart();
    await bench.comes('D1');
    await bench.pass(47);
    expect([bench.ids.at(-1), bench.written.at(-1)?.command.attempts]).toEqual(['middle', 2]);
    await bench.fail('COMMAND_UNSUPPORTED');
    expect(bench.ended.at(-1)).toBe('middle dead: told so');
    await bench.pass(14);
    await bench.ack();
    expect([bench.ids.at(-1), bench.ended.at(-1), bench.dispatcher.waiting]).toEqual(['high', 'high done', 0]);
    bench.now += 25 * 3_600_000;
    expect(await bench.dispatcher.clean()).toBe(3);
  });

  it('a thousand commands for a hundred devices each go once, in their order', async () => {
    const bench = await QueueBench.start(await target());
    const devices = Array.from({length: 100}, (_, index) => `M${index}`);
    for (const deviceId of devices) bench.online.add(deviceId);
    const inFlight = new Set<string>();
    let most = 0;
    const crowded: string[] = [];
    bench.onWrite = ({command, ack}) => {
      if (inFlight.has(command.deviceId)) crowded.push(command.id);
      inFlight.add(command.deviceId);
      most = Math.max(most, inFlight.size);
      void setImmediate().then(() => {
        inFlight.delete(command.deviceId);
        ack();
      });
    };
    for (let count = 0; count < 10; count += 1) {
      await Promise.all(devices.map((deviceId) => bench.enqueue(`${deviceId}:${count}`, {deviceId})));
    }
    await bench.settled();
    for (const deviceId of devices) {
      const sent = bench.ids.filter((id) => id.startsWith(`${deviceId}:`));
      expect(sent).toEqual(Array.from({length: 10}, (_, count) => `${deviceId}:${count}`));
    }
    expect([crowded, bench.ended.length, bench.dispatcher.waiting]).toEqual([[], 1000, 0]);
    expect(most).toBeGreaterThan(1);
  });
});
