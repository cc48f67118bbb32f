import {describe, expect, it} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {discrepancyListing} from '../../src/lib/orders/index.js';
import {commandById} from '../../src/lib/outbound/index.js';
import {CoinBench, REQUEST} from './coin-bench.js';
import {allOrders, eventTypes} from './store.js';

const failsWith = (code: string) => expect.objectContaining({code});

describe('a coin order', () => {
  it('is stored before it is answered, in one operation, and leaves at once', async () => {
    const bench = await CoinBench.start();
    bench.beforeWrite = async ({orderNo}) => {
      expect(await bench.store.readFirst(commandById, {id: `coin:${orderNo}`})).toMatchObject({attempts: 1});
    };
    const {outcome, order} = await bench.orders.create({...REQUEST, amountCent: 500});
    expect([outcome, order.state, order.amountCent]).toEqual(['created', 'sent', 500]);
    expect(bench.store.figures.operations).toBe(1);
    await bench.settled();
    expect(bench.written).toMatchObject([{orderNo: 'A', coins: 5, timeoutSeconds: 60}]);
  });

  it('goes on to its end; progress is told but not stored', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    const before = bench.store.figures.operations;
    for (let progress = 1; progress < 100; progress += 1) await bench.report('running', 'A', progress);
    expect(bench.store.figures.operations).toBe(before);
    expect(await bench.orders.get('A')).toMatchObject({state: 'running', progress: 99});
    await bench.report('failed', 'A', 0);
    expect(await bench.orders.get('A')).toMatchObject({state: 'failed', progress: 99, error: 'jam'});
    await bench.report('failed', 'A', 0);
    expect(bench.store.figures.operations).toBe(before + 1);
    expect(await eventTypes(bench.store, 'A')).toEqual(['order.created', 'order.confirmed', 'order.failed']);
    expect(bench.kinds.filter((kind) => !kind.endsWith('running'))).toEqual([
      'created sent',
      'progressed accepted',
      'finished failed',
    ]);
  });

  it('is one when it comes a hundred times at once', async () => {
    const bench = await CoinBench.start();
    const answers = await Promise.all(Array.from({length: 100}, () => bench.orders.create(REQUEST)));
    expect(answers.filter(({outcome}) => outcome === 'created')).toHaveLength(1);
    await bench.settled();
    expect([bench.sent, bench.orders.queued]).toEqual([['A'], 0]);
    await bench.report('done');
    expect((await bench.orders.create(REQUEST)).order.state).toBe('done');
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.settled();
    expect(bench.sent).toEqual(['A', 'B']);
  });

  it('refuses another content under its number, also of an offline device, and blocks nobody by it', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    await expect(bench.orders.create({...REQUEST, coins: 6})).rejects.toEqual(failsWith('ORDER_CONFLICT'));
    expect((await bench.orders.create(REQUEST)).outcome).toBe('same');
    bench.online.clear();
    await expect(bench.orders.create({...REQUEST, coins: 6})).rejects.toEqual(failsWith('ORDER_CONFLICT'));
    expect((await bench.orders.create(REQUEST)).outcome).toBe('same');
    await bench.comes();
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.settled();
    expect(bench.sent).toEqual(['A', 'B']);
  });

  it.each<[string, object]>([
    ['no number', {orderNo: ''}],
    ['half a coin', {coins: 1.5}],
    ['2^32 coins', {coins: 2 ** 32}],
    ['no coins', {coins: 0}],
    ['too long', {timeoutSeconds: 86_401}],
    ['kept for ever', {keepSeconds: Number.POSITIVE_INFINITY}],
    ['less than nothing paid', {amountCent: -1}],
  ])('is refused with %s', async (_, wrong) => {
    const bench = await CoinBench.start();
    await expect(bench.orders.create({...REQUEST, ...wrong})).rejects.toEqual(failsWith('ORDER_INVALID'));
    expect(bench.store.figures.operations).toBe(0);
  });

  it('of another device is refused', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    const report = {state: 'done', progress: 100, error: ''} as const;
    await expect(bench.orders.reported('D2', 'A', report)).rejects.toThrow('not an order of this device');
    await expect(bench.orders.reported('D1', 'X', report)).rejects.toThrow('not an order of this device');
    expect(await bench.state()).toBe('sent');
  });
});

describe('the way to a device', () => {
  it('takes one order at a time, in their order', async () => {
    const bench = await CoinBench.start();
    const numbers = ['C', 'A', 'D', 'B'];
    await Promise.all(numbers.map((orderNo) => bench.orders.create({...REQUEST, orderNo})));
    await bench.settled();
    expect([bench.sent, bench.orders.queued]).toEqual([['C'], 3]);
    for (const [index, orderNo] of numbers.entries()) {
      await bench.report('accepted', orderNo);
      await bench.settled();
      expect(bench.sent).toEqual(numbers.slice(0, index + 2));
    }
    expect(bench.orders.queued).toBe(0);
  });

  it('cancels an order that waits, and none that was sent', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    expect((await bench.orders.cancel('B')).state).toBe('cancelled');
    expect((await bench.orders.cancel('B')).state).toBe('cancelled');
    await expect(bench.orders.cancel('A')).rejects.toEqual(failsWith('ORDER_SENT'));
    await bench.report('done');
    await expect(bench.orders.cancel('A')).rejects.toEqual(failsWith('ORDER_FINISHED'));
    await expect(bench.orders.cancel('X')).rejects.toEqual(failsWith('ORDER_NOT_FOUND'));
    await bench.settled();
    expect([bench.sent, bench.orders.queued]).toEqual([['A'], 0]);
  });

  it('asks after 10 s without an ack, and sends only the same order again', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.pass(9);
    expect(bench.asked).toEqual([]);
    await bench.pass(2);
    expect([bench.asked, bench.sent]).toEqual([['A'], ['A', 'A']]);
    expect(bench.written[1]).toMatchObject({attempts: 2, timeoutSeconds: 50});
    bench.answer = () => ({found: true, certain: true, state: 'done', progress: 100, error: ''});
    await bench.pass(10);
    expect([await bench.state(), bench.sent]).toEqual(['done', ['A', 'A', 'B']]);
  });

  it('gives an order up after three attempts, and goes on with the next', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.pass(33);
    expect([await bench.state(), bench.sent.slice(0, 4)]).toEqual(['failed', ['A', 'A', 'A', 'B']]);
    expect(await eventTypes(bench.store, 'A')).toEqual(['order.created', 'order.failed']);
  });

  it('fails an order that cannot be written to such a device', async () => {
    const bench = await CoinBench.start();
    bench.beforeWrite = () => {
      throw new PaynetError('COMMAND_UNSUPPORTED', 'this device takes no coins');
    };
    await bench.orders.create(REQUEST);
    await bench.settled();
    expect(await bench.orders.get('A')).toMatchObject({state: 'failed', error: 'this device takes no coins'});
  });

  it('ends an order in time; coins that drop later are a discrepancy', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    await bench.report('running', 'A', 60);
    await bench.pass(59);
    expect(await bench.state()).toBe('running');
    await bench.pass(2);
    expect(await bench.orders.get('A')).toMatchObject({state: 'timeout', progress: 60});
    for (let count = 0; count < 3; count += 1) await bench.report('done');
    expect(await bench.state()).toBe('timeout');
    expect(await eventTypes(bench.store, 'A')).toEqual([
      'order.created',
      'order.confirmed',
      'order.timeout',
      'order.discrepancy',
    ]);
    expect(await discrepancyListing.page(bench.store, {open: 1}, {limit: 9, offset: 0})).toHaveLength(1);
    expect(bench.kinds.slice(-2)).toEqual(['finished timeout', 'discrepancy timeout']);
  });

  it('waits a round after a pause of the whole process before it gives anything up', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    await bench.pass(31);
    bench.now += 3_600_000;
    await bench.pass(1);
    expect(await bench.state()).toBe('accepted');
    await bench.report('done');
    await bench.pass(2);
    expect(await bench.state()).toBe('done');
  });
});

describe('a device that is not online', () => {
  it('gets no order', async () => {
    const bench = await CoinBench.start();
    bench.online.clear();
    await expect(bench.orders.create(REQUEST)).rejects.toEqual(failsWith('DEVICE_OFFLINE'));
    expect(await bench.store.read(allOrders)).toEqual([]);
  });

  it('gets those that are kept for it when it comes, in their order', async () => {
    const bench = await CoinBench.start();
    bench.online.clear();
    const numbers = ['C', 'A', 'B'];
    for (const orderNo of numbers) await bench.orders.create({...REQUEST, orderNo, keepSeconds: 600});
    await bench.pass(300);
    await bench.comes();
    for (const orderNo of numbers) {
      expect(bench.sent.at(-1)).toBe(orderNo);
      expect(bench.written.at(-1)?.timeoutSeconds).toBe(60);
      await bench.report('done', orderNo);
      await bench.settled();
    }
    expect(bench.sent).toEqual(numbers);
  });

  it('gets the one that was being stored when it came', async () => {
    const bench = await CoinBench.start();
    bench.online.clear();
    const placed = bench.orders.create({...REQUEST, keepSeconds: 600});
    await bench.comes();
    await placed;
    await bench.settled();
    expect(bench.sent).toEqual(['A']);
  });

  it('does not hide an order that is being stored', async () => {
    const bench = await CoinBench.start();
    const placed = bench.orders.create(REQUEST);
    bench.online.clear();
    const again = await bench.orders.create(REQUEST);
    expect([again.outcome, (await placed).outcome]).toEqual(['same', 'created']);
  });

  it('is asked about what ended without it, once, and what it has paid out is a discrepancy', async () => {
    const bench = await CoinBench.start();
    for (const orderNo of ['A', 'B', 'C']) {
      await bench.orders.create({...REQUEST, orderNo});
      await bench.settled();
      await bench.report('accepted', orderNo);
      await bench.settled();
    }
    bench.online.clear();
    await bench.pass(62);
    expect(await Promise.all(['A', 'B', 'C'].map((orderNo) => bench.state(orderNo)))).toEqual(Array(3).fill('timeout'));
    bench.asked.length = 0;
    // What became of them was told to a connection that had died, and is told again to nobody.
    bench.answer = ({orderNo}) =>
      orderNo === 'A'
        ? {found: true, state: 'done', progress: 100, error: '', certain: true}
        : orderNo === 'B'
          ? {found: true, state: 'failed', progress: 0, error: 'jam', certain: true}
          : {found: false};
    for (let time = 0; time < 2; time += 1) {
      await bench.comes();
      bench.online.clear();
    }
    expect(bench.asked.sort()).toEqual(['A', 'B', 'C']);
    expect(await bench.state('A')).toBe('timeout');
    const open = await discrepancyListing.page(bench.store, {open: 1}, {limit: 9, offset: 0});
    expect(open.map(({order_no: orderNo}) => orderNo)).toEqual(['A']);
    expect(await eventTypes(bench.store, 'A')).toEqual([
      'order.created',
      'order.confirmed',
      'order.timeout',
      'order.discrepancy',
    ]);
  });

  it('does not get those whose limit has passed', async () => {
    const bench = await CoinBench.start();
    bench.online.clear();
    await bench.orders.create({...REQUEST, keepSeconds: 10});
    await bench.pass(11);
    expect(await bench.orders.get('A')).toMatchObject({state: 'timeout', attempts: 0});
    await bench.comes();
    expect(bench.sent).toEqual([]);
    expect(await eventTypes(bench.store, 'A')).toEqual(['order.created', 'order.timeout']);
  });

  it('is asked when it comes back, for what it has taken', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    bench.online.clear();
    await bench.pass(5);
    bench.answer = () => ({found: true, certain: true, state: 'done', progress: 100, error: ''});
    await bench.comes();
    expect([await bench.state(), bench.sent]).toEqual(['done', ['A']]);
  });

  it('leaves at each try: the attempts are limited, and others go on', async () => {
    const bench = await CoinBench.start();
    bench.beforeWrite = ({orderNo}) => {
      if (orderNo !== 'A') return;
      bench.written.push({orderNo: 'try'} as never);
      bench.online.clear();
    };
    await bench.orders.create(REQUEST);
    for (let count = 0; count < 5; count += 1) await bench.comes();
    expect([bench.sent, await bench.state()]).toEqual([['try', 'try', 'try'], 'failed']);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.settled();
    expect(bench.sent.at(-1)).toBe('B');
  });

  it('has lost its memory of an order it took: that is never sent again', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    await bench.comes();
    expect([await bench.state(), bench.sent]).toEqual(['failed', ['A']]);
    expect(bench.kinds.slice(-2)).toEqual(['finished failed', 'discrepancy failed']);
  });
});

describe('a store that takes nothing for a while', () => {
  it('gets what devices said meanwhile, and no order ends in between for lack of it', async () => {
    const bench = await CoinBench.start();
    for (const deviceId of ['D1', 'D2']) {
      bench.online.add(deviceId);
      await bench.orders.create({...REQUEST, deviceId, orderNo: deviceId});
      await bench.settled();
      await bench.orders.reported(deviceId, deviceId, {state: 'accepted', progress: 0, error: ''});
    }
    const run = bench.store.run.bind(bench.store);
    bench.store.run = () => Promise.reject(new PaynetError('STORE_FULL', 'the disk is full'));
    await expect(bench.report('done', 'D1')).rejects.toEqual(failsWith('STORE_FULL'));
    // Overtaken words change nothing.
    await expect(bench.report('failed', 'D1')).rejects.toEqual(failsWith('STORE_FULL'));
    bench.now += 30_000;
    bench.wheel.advance(1000);
    for (let second = 0; second < 40; second += 1) {
      bench.now += 1000;
      bench.wheel.advance(1000);
      await new Promise(setImmediate);
    }
    bench.store.run = run;
    await bench.pass(3);
    expect(await bench.state('D1')).toBe('done');
    expect(await bench.state('D2')).toBe('timeout');
  });
});

describe('after a crash', () => {
  it('before the write: the same order is sent, once it is known that the device does not have it', async () => {
    const bench = await CoinBench.start();
    bench.beforeWrite = () => {
      throw new PaynetError('CONNECTION_CLOSED', 'gone');
    };
    await bench.orders.create(REQUEST);
    await bench.restart();
    bench.beforeWrite = () => {};
    expect((await bench.orders.get('A'))?.state).toBe('sent');
    await bench.comes();
    expect([bench.asked, bench.sent]).toEqual([['A'], ['A']]);
    await bench.report('done');
    expect(await eventTypes(bench.store, 'A')).toEqual(['order.created', 'order.completed']);
  });

  it('after the write: the device knows it, nothing is sent again', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.settled();
    await bench.restart();
    bench.answer = () => ({found: true, certain: true, state: 'running', progress: 20, error: ''});
    await bench.comes();
    expect([bench.sent, await bench.state()]).toEqual([['A'], 'running']);
  });

  it('after the ack: its end is heard, and it is never sent again', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.report('accepted');
    await bench.restart();
    bench.answer = () => ({found: true, certain: true, state: 'accepted', progress: 0, error: ''});
    await bench.comes();
    await bench.report('running', 'A', 50);
    await bench.report('done');
    expect([bench.sent, await bench.state()]).toEqual([['A'], 'done']);
    expect(await eventTypes(bench.store, 'A')).toEqual(['order.created', 'order.confirmed', 'order.completed']);
  });

  it('with orders that wait: they go, after what was sent, in their order', async () => {
    const bench = await CoinBench.start();
    for (const orderNo of ['C', 'A', 'B']) await bench.orders.create({...REQUEST, orderNo});
    await bench.settled();
    await bench.restart();
    const other = bench.orders.create({...REQUEST, orderNo: 'A', coins: REQUEST.coins + 1});
    await expect(other).rejects.toEqual(failsWith('ORDER_CONFLICT'));
    // How long an order may wait is none of its content: the server's default may have changed meanwhile.
    const repeated = await bench.orders.create({...REQUEST, orderNo: 'A', keepSeconds: 60});
    expect(repeated).toMatchObject({outcome: 'same', order: {orderNo: 'A', state: 'created'}});
    await bench.comes();
    expect(bench.sent).toEqual(['C', 'C']);
    for (const orderNo of ['C', 'A', 'B']) {
      await bench.report('done', orderNo);
      await bench.settled();
    }
    expect(bench.sent).toEqual(['C', 'C', 'A', 'B']);
  });

  it('gives devices time to come back before it ends what was sent', async () => {
    const bench = await CoinBench.start();
    await bench.orders.create(REQUEST);
    await bench.settled();
    bench.now += 100_000;
    await bench.restart();
    await bench.pass(20);
    expect(await bench.state()).toBe('sent');
    await bench.pass(15);
    expect(await bench.state()).toBe('timeout');
  });

  it('refuses what comes after the stop', async () => {
    const bench = await CoinBench.start();
    await bench.orders.stop();
    await expect(bench.orders.create(REQUEST)).rejects.toEqual(failsWith('SERVER_STOPPED'));
  });
});
