import {describe, expect, it} from 'vitest';
import {claimForSending, commandById, dismissDead, takeOverCommand} from '../../src/lib/outbound/index.js';
import {T} from '../orders/store.js';
import {QueueBench} from './bench.js';
import {storeMany, withdraw} from './operations.js';

const HOUR = 3_600_000;
const START = {kind: 'startCharge', priority: 2};

describe('a device that is away', () => {
  it('gets what is kept for it when it comes, in order, but nothing past its time', async () => {
    const bench = await QueueBench.start();
    await bench.leaves();
    bench.onWrite = ({ack}) => ack();
    await bench.send('late', {...START, expiresAt: T + 10_000});
    await bench.send('query', {priority: 5, expiresAt: T + HOUR});
    await bench.send('stop');
    await bench.pass(30);
    expect([bench.ids, bench.ended]).toEqual([[], ['late expired: not sent in time']]);
    expect(bench.endedCommands).toMatchObject([{attempts: 0}]);
    await bench.comes();
    expect(bench.ids).toEqual(['stop', 'query']);
  });

  it('when a command was about to be written, costs no attempt', async () => {
    const bench = await QueueBench.start();
    bench.after = (operation) => operation === 'outbound.claim' && bench.online.delete('D1');
    await bench.send('A');
    expect([bench.ids, await bench.stored('A'), bench.dispatcher.waiting]).toEqual([[], ['waiting', 0], 1]);
    bench.after = () => undefined;
    await bench.comes();
    expect([bench.ids, await bench.stored('A')]).toEqual([['A'], ['sent', 1]]);
  });

  it('costs nothing, nor does one that comes and has nothing waiting', async () => {
    const bench = await QueueBench.start();
    const {size} = bench.wheel;
    for (let index = 0; index < 50_000; index += 1) {
      if (index % 2 === 0) bench.online.add(`N${index}`);
      bench.dispatcher.online(`N${index}`);
    }
    await bench.settled();
    expect([bench.store.figures.operations, bench.wheel.size - size]).toEqual([0, 0]);
  });
});

describe('a process that stands still', () => {
  it('between the note and the write, notes it again', async () => {
    const bench = await QueueBench.start();
    bench.after = (operation) => {
      if (operation !== 'outbound.claim') return;
      bench.after = () => undefined;
      bench.now += 20_000;
    };
    await bench.send('A');
    expect(bench.written.map(({at}) => at)).toEqual([bench.now]);
    const row = await bench.store.readFirst(commandById, {id: 'A'});
    expect(row).toMatchObject({attempts: 1, lease_until: bench.now + 45_000});
  });

  it('does not write what another has taken over meanwhile', async () => {
    const bench = await QueueBench.start();
    bench.after = async (operation) => {
      if (operation !== 'outbound.claim') return;
      bench.after = () => undefined;
      bench.now += 46_000;
      // The other looks around, and sends.
      await bench.store.run(takeOverCommand, {id: 'A', at: bench.now});
      const lease = {owner: 'other', until: bench.now + 45_000};
      await bench.store.run(claimForSending, {deviceId: 'D1', at: bench.now, ...lease});
    };
    await bench.send('A');
    await bench.pass(5);
    expect([bench.ids, await bench.stored('A')]).toEqual([[], ['sent', 2]]);
  });

  it('until a start has expired, does not write it', async () => {
    const bench = await QueueBench.start();
    bench.after = (operation) => {
      if (operation === 'outbound.claim') bench.now += 10_000;
    };
    await bench.send('A', {...START, expiresAt: T + 10_000});
    expect([bench.ids, await bench.stored('A')]).toEqual([[], ['expired', 0]]);
    expect(bench.ended).toEqual(['A expired: not sent in time']);
    expect(bench.endedCommands).toMatchObject([{attempts: 0}]);
  });

  it('reads the acks that came meanwhile before it gives anything up', async () => {
    const bench = await QueueBench.start();
    await bench.send('A', {...START, expiresAt: T + 10_000});
    bench.now += HOUR;
    bench.wheel.advance(1000);
    await bench.settled();
    await bench.ack();
    expect(bench.ended).toEqual(['A done']);
  });
});

describe('after a crash', () => {
  it('what was sent is taken over when its lease has lapsed: a stop goes again, a start does not', async () => {
    const bench = await QueueBench.start();
    await bench.send('stop');
    await bench.send('start', {...START, deviceId: 'D2', expiresAt: T + 10_000});
    await bench.leaves('D3');
    await bench.send('kept', {deviceId: 'D3'});
    expect(bench.ids).toEqual(['stop', 'start']);
    await bench.restart();
    expect(bench.dispatcher.waiting).toBe(1);
    for (const deviceId of ['D1', 'D2', 'D3']) await bench.comes(deviceId);
    expect(bench.ids).toEqual(['stop', 'start', 'kept']);
    await bench.pass(44);
    expect(bench.ids).toHaveLength(3);
    await bench.pass(3);
    expect(bench.ids).toEqual(['stop', 'start', 'kept', 'stop']);
    expect(bench.written[3]?.command.attempts).toBe(2);
    expect([await bench.stored('start'), bench.ended.filter((one) => one.startsWith('start'))]).toEqual([
      ['expired', 1],
      ['start expired: its sender went away: it may have been written'],
    ]);
  });
});

describe('the number of those that wait', () => {
  it('is kept as they come and go', async () => {
    const bench = await QueueBench.start();
    const counts = [bench.dispatcher.waiting];
    const note = () => counts.push(bench.dispatcher.waiting);
    await bench.send('A');
    await bench.send('B');
    await bench.send('C', {deviceId: 'away', expiresAt: T + 5000});
    note();
    await bench.ack();
    note();
    await bench.pass(6);
    note();
    await bench.fail('CONNECTION_CLOSED');
    note();
    expect(counts).toEqual([0, 2, 1, 0, 1]);
    await bench.restart();
    expect(bench.dispatcher.waiting).toBe(1);
  });

  it('is corrected when others have ended some', async () => {
    const bench = await QueueBench.start();
    await bench.send('A', {deviceId: 'away'});
    await bench.store.run(withdraw, {id: 'A', at: T});
    await bench.pass(10);
    expect(bench.dispatcher.waiting).toBe(0);
  });
});

describe('the dead letters', () => {
  it('go again when a person says so, or are dismissed', async () => {
    const bench = await QueueBench.start();
    const commands = [bench.command('A'), bench.command('B')];
    await bench.store.run(storeMany, {commands, state: 'dead'});
    expect(await bench.dispatcher.retry('A')).toBe('waiting');
    await bench.settled();
    expect([bench.ids, await bench.dispatcher.retry('A'), bench.dispatcher.waiting]).toEqual([['A'], 'unknown', 0]);
    expect(await bench.dispatcher.dismiss('B')).toBe(true);
    expect(await bench.store.run(dismissDead, {id: 'B', at: T})).toBe(false);
  });

  it('are cleaned every hour in parts, once they are settled for a day; too many are a warning', async () => {
    const bench = await QueueBench.start();
    const many = (name: string, count: number) =>
      Array.from({length: count}, (_, index) => bench.command(`${name}${index}`, {at: T}));
    await bench.store.run(storeMany, {commands: many('dead', 1001), state: 'dead'});
    await bench.store.run(storeMany, {commands: many('old', 1200), state: 'dismissed'});
    bench.now = T + 24 * HOUR;
    bench.wheel.advance(HOUR);
    await bench.settled();
    expect([await bench.stored('old0'), bench.warnings.length]).toEqual([['dismissed', 0], 1]);
    bench.now += 1;
    bench.wheel.advance(HOUR);
    await bench.settled();
    expect(bench.warnings[1]).toMatch('more than 1000 commands were given up');
    expect([await bench.stored('old0'), await bench.stored('old1199')]).toEqual([undefined, undefined]);
    expect(await bench.stored('dead0')).toEqual(['dead', 0]);
    expect(await bench.dispatcher.clean()).toBe(0);
  });
});

describe('the end', () => {
  it('lets attempts in flight end, gives back what was not written, and begins nothing more', async () => {
    const bench = await QueueBench.start();
    await bench.send('A');
    await bench.send('B');
    bench.after = (operation) => operation === 'outbound.claim' && void bench.dispatcher.stop();
    await bench.enqueue('C', {deviceId: 'D2'});
    await bench.settled();
    expect([bench.ids, await bench.stored('C')]).toEqual([['A'], ['waiting', 0]]);
    bench.written[0]?.ack();
    await bench.dispatcher.stop();
    expect([bench.ended, await bench.stored('B')]).toEqual([['A done'], ['waiting', 0]]);
    await bench.comes();
    await bench.pass(70);
    expect([bench.ids, bench.wheel.size]).toEqual([['A'], 0]);
  });

  it('comes in time when a device does not answer: what was written keeps its lease', async () => {
    const bench = await QueueBench.start();
    await bench.send('A');
    bench.gaps.set('D2', 60_000);
    bench.onWrite = ({ack}) => ack();
    await bench.send('B', {deviceId: 'D2'});
    const stopped = bench.dispatcher.stop();
    await bench.pass(4);
    await stopped;
    expect(bench.written[0]?.signal.aborted).toBe(true);
    expect([await bench.stored('A'), bench.ended, bench.wheel.size]).toEqual([['sent', 1], ['B done'], 0]);
  });
});
