import {describe, expect, it} from 'vitest';
import {commandById, enqueueCommand} from '../../src/lib/outbound/index.js';
import {T} from '../orders/store.js';
import {QueueBench} from './bench.js';
import {storeMany} from './operations.js';

const START = {kind: 'startCharge', priority: 2};

describe('a command', () => {
  it('leaves at once when its device is there, after its attempt is stored', async () => {
    const bench = await QueueBench.start();
    const seen: unknown[] = [];
    bench.onWrite = ({command}) => seen.push(bench.store.readFirst(commandById, {id: command.id}));
    await bench.send('A', {orderNo: 'O1', payload: {port: 2}, expiresAt: T + 60_000});
    expect(await Promise.all(seen)).toMatchObject([{state: 'sent', attempts: 1, lease_owner: 'server-1'}]);
    const what = {id: 'A', deviceId: 'D1', orderNo: 'O1', kind: 'stopCharge', payload: {port: 2}};
    expect(bench.written[0]?.command).toMatchObject({...what, priority: 1, attempts: 1, expiresAt: T + 60_000});
    expect(bench.ended).toEqual([]);
    await bench.ack();
    expect([await bench.stored('A'), bench.ended, bench.counted]).toEqual([['done', 1], ['A done'], ['done']]);
  });

  it('is the only one in flight to its device; others go side by side', async () => {
    const bench = await QueueBench.start();
    await Promise.all([bench.enqueue('A'), bench.enqueue('B'), bench.enqueue('C', {deviceId: 'D2'})]);
    await bench.settled();
    expect(bench.ids.toSorted()).toEqual(['A', 'C']);
    await bench.pass(5);
    expect(bench.ids).toHaveLength(2);
    bench.written.find(({command}) => command.id === 'A')?.ack();
    await bench.settled();
    expect(bench.ids.at(-1)).toBe('B');
  });

  it('goes by priority, then by age; a more urgent one overtakes what waits, not what is in flight', async () => {
    const bench = await QueueBench.start();
    await bench.send('first', {priority: 9});
    for (const [id, priority] of [
      ['idle', 9],
      ['low', 5],
      ['high', 1],
      ['high too', 1],
    ] as const) {
      await bench.send(id, {priority});
    }
    await bench.ack();
    await bench.send('emergency', {priority: 0});
    for (let count = 0; count < 6; count += 1) await bench.ack();
    expect(bench.ids).toEqual(['first', 'high', 'emergency', 'high too', 'low', 'idle']);
  });

  it('is not sent from here when it is a coin', async () => {
    const bench = await QueueBench.start();
    await bench.store.run(enqueueCommand, bench.command('coin', {kind: 'coin', priority: 0, expiresAt: T + 1}));
    bench.dispatcher.online('D1');
    await bench.pass(70);
    expect([bench.ids, bench.ended, bench.dispatcher.waiting]).toEqual([[], [], 0]);
    expect(await bench.stored('coin')).toEqual(['waiting', 0]);
  });

  it('leaves its device alone for a while where that is asked for', async () => {
    const bench = await QueueBench.start();
    bench.gaps.set('D1', 500);
    bench.onWrite = ({ack}) => ack();
    await bench.send('A');
    await bench.send('B');
    bench.wheel.advance(400);
    await bench.settled();
    expect(bench.ids).toEqual(['A']);
    bench.wheel.advance(200);
    await bench.settled();
    expect(bench.ids).toEqual(['A', 'B']);
  });

  it('is found when nobody said that it was stored, behind any number of others whose devices are away', async () => {
    const bench = await QueueBench.start();
    const away = Array.from({length: 1200}, (_, index) => bench.command(`A${index}`, {deviceId: `away-${index}`}));
    await bench.store.run(storeMany, {commands: away, state: 'waiting'});
    await bench.store.run(enqueueCommand, bench.command('Z'));
    await bench.pass(3);
    expect(bench.ids).toEqual(['Z']);
  });

  it('goes a moment later when the store could not note it', async () => {
    const bench = await QueueBench.start();
    bench.before = (operation) => {
      if (operation !== 'outbound.claim') return;
      bench.before = () => undefined;
      throw Object.assign(new Error('no'), {code: 'STORE_BUSY'});
    };
    await bench.send('A');
    expect([bench.ids, bench.warnings]).toEqual([[], ['the queue of commands: the store failed']]);
    await bench.pass(1);
    expect(bench.ids).toEqual(['A']);
  });
});

describe('the answer of a device', () => {
  it.each<[string, string, string, string]>([
    ['COMMAND_REFUSED', 'done', 'A refused: told so', 'refused'],
    ['COMMAND_UNSUPPORTED', 'dead', 'A dead: told so', 'dead'],
    ['RangeError', 'dead', 'A dead: too large', 'dead'],
  ])('%s ends a command: it is %s, and never sent again', async (code, state, ended, counted) => {
    const bench = await QueueBench.start();
    await bench.send('A', {...START, expiresAt: T + 10_000});
    await bench.fail(code);
    expect([await bench.stored('A'), bench.ended, bench.counted]).toEqual([[state, 1], [ended], [counted]]);
    await bench.pass(65);
    expect(bench.ids).toEqual(['A']);
  });

  it('is waited for 10 s; after three attempts a minute apart it is a dead letter, and others go on', async () => {
    const bench = await QueueBench.start();
    await bench.send('A');
    await bench.send('B');
    await bench.pass(9);
    expect(bench.ids).toEqual(['A']);
    await bench.pass(2);
    expect([bench.silent, bench.ids, bench.written[0]?.signal.aborted]).toEqual([['D1'], ['A', 'B'], true]);
    await bench.ack();
    await bench.pass(58);
    expect(bench.ids).toEqual(['A', 'B']);
    await bench.pass(3);
    expect(bench.ids).toEqual(['A', 'B', 'A']);
    // Too late: the next attempt will tell.
    bench.written[0]?.ack();
    await bench.pass(10 + 61 + 11);
    expect(bench.written.map(({command}) => command.attempts)).toEqual([1, 1, 2, 3]);
    expect(await bench.stored('A')).toEqual(['dead', 3]);
    expect(bench.ended).toEqual(['B done', 'A dead: the device has not acknowledged the command in time']);
    const timedOut = 'ack timeout';
    expect(bench.counted).toEqual([timedOut, 'retry', 'done', timedOut, 'retry', timedOut, 'dead']);
    await bench.pass(65);
    expect(bench.ids).toHaveLength(4);
  });

  it('is missing for a start: that is not sent again, but has expired', async () => {
    const bench = await QueueBench.start();
    await bench.send('A', {...START, expiresAt: T + 10_000});
    await bench.pass(11);
    expect([await bench.stored('A'), bench.counted]).toEqual([
      ['expired', 1],
      ['ack timeout', 'expired'],
    ]);
    expect(bench.endedCommands).toMatchObject([{attempts: 1}]);
    await bench.pass(65);
    expect(bench.ids).toEqual(['A']);
  });

  it('is given up when the device leaves, at each try: the attempts are limited', async () => {
    const bench = await QueueBench.start();
    await bench.send('A');
    for (const outcome of ['waiting', 'waiting', 'dead']) {
      await bench.leaves();
      expect((await bench.stored('A'))?.[0]).toBe(outcome);
      await bench.pass(60);
      await bench.comes();
    }
    expect([bench.ids, bench.silent]).toEqual([['A', 'A', 'A'], []]);
    expect(bench.ended).toEqual(['A dead: the device has left']);
    await bench.send('B');
    expect(bench.ids.at(-1)).toBe('B');
  });

  it('on an older connection ends nothing: the device is there on a new one', async () => {
    const bench = await QueueBench.start();
    await bench.send('A');
    bench.dispatcher.offline('D1');
    await bench.ack();
    expect(bench.ended).toEqual(['A done']);
  });

  it('is stored although the store is busy, and told once although it cannot say that it was', async () => {
    const bench = await QueueBench.start();
    const failing = [
      ['before', 'STORE_BUSY'],
      ['after', 'STORE_UNCERTAIN'],
    ] as const;
    for (const [when, code] of failing) {
      bench[when] = (operation) => {
        if (operation !== 'outbound.done') return;
        bench[when] = () => undefined;
        throw Object.assign(new Error('no'), {code});
      };
      await bench.send(code);
      await bench.ack();
      expect(bench.ended).not.toContain(`${code} done`);
      await bench.pass(2);
    }
    expect(bench.ended).toEqual(['STORE_BUSY done', 'STORE_UNCERTAIN done']);
    expect([await bench.stored('STORE_BUSY'), await bench.stored('STORE_UNCERTAIN')]).toEqual([
      ['done', 1],
      ['done', 1],
    ]);
  });

  it('is not lost on others when a listener fails', async () => {
    const bench = await QueueBench.start();
    bench.onEnded = () => {
      throw new Error('a fault');
    };
    bench.onWrite = ({ack}) => ack();
    await bench.send('A');
    await bench.send('B');
    expect(bench.ended).toEqual(['A done', 'B done']);
    expect(bench.warnings).toEqual(Array(2).fill('what became of a command could not be told'));
  });
});
