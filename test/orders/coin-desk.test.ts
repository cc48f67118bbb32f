import {describe, expect, it} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import type {CoinOrder} from '../../src/lib/orders/index.js';
import {ResultCode} from '../../src/lib/registry/index.js';
import {Bench, REQUEST, settled} from './desk.js';

const done = {found: true, state: 'done', progress: 100, error: '', certain: true} as const;
const running = {found: true, state: 'running', progress: 40, error: '', certain: true} as const;
/** What a device without `code` says of any order. */
const blank = {found: true, state: 'accepted', progress: 0, error: '', certain: false} as const;

describe('placing an order', () => {
  it('writes it once and resolves with its end', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    expect(bench.written).toHaveLength(1);
    bench.report('accepted');
    bench.report('running', 50);
    bench.report('done', 100);
    expect(await result).toMatchObject({state: 'done', progress: 100, attempts: 1});
    expect(bench.kinds).toEqual(['progressed accepted', 'progressed running', 'finished done']);
    expect(bench.wheel.size).toBe(0);
  });

  it('writes the same order once, a hundred times at once and again later', async () => {
    const bench = new Bench();
    const results = Array.from({length: 100}, () => bench.desk.submit({...REQUEST}));
    await settled();
    bench.report('done', 100);
    const orders = await Promise.all(results);
    expect(new Set(orders).size).toBe(1);
    expect(await bench.desk.submit(REQUEST)).toBe(orders[0]);
    expect(bench.written).toHaveLength(1);
  });

  it.each([{coins: 6}, {deviceId: 'd-2'}, {timeoutSeconds: 61}])(
    'refuses another content under its number: %o',
    async (other) => {
      const bench = new Bench();
      const first = bench.desk.submit(REQUEST);
      await settled();
      await expect(bench.desk.submit({...REQUEST, ...other})).rejects.toMatchObject({code: 'ORDER_CONFLICT'});
      expect(bench.written).toHaveLength(1);
      bench.report('done', 100);
      expect(await first).toMatchObject({state: 'done', coins: 5});
      await expect(bench.desk.submit({...REQUEST, ...other})).rejects.toMatchObject({code: 'ORDER_CONFLICT'});
    },
  );

  it.each([
    {coins: 0},
    {coins: -1},
    {coins: 1.5},
    {coins: 2 ** 32},
    {coins: Number.NaN},
    {coins: '7' as unknown as number},
    {timeoutSeconds: 0},
    {timeoutSeconds: 86_401},
    {timeoutSeconds: 2.5},
    {orderId: ''},
    {orderId: 'a\nb'},
    {orderId: 'x'.repeat(129)},
    {deviceId: '\u{fffd}'},
  ])('refuses %o before anything is claimed', async (wrong) => {
    const bench = new Bench();
    await expect(bench.desk.submit({...REQUEST, ...wrong})).rejects.toMatchObject({code: 'ORDER_INVALID'});
    expect(await bench.claims.claim('o-1', 'anything')).toBe('new');
    expect(bench.written).toEqual([]);
  });

  it('takes the largest amount', async () => {
    const bench = new Bench();
    void bench.desk.submit({...REQUEST, coins: 2 ** 32 - 1, timeoutSeconds: 86_400});
    await settled();
    expect(bench.written[0]).toMatchObject({coins: 2 ** 32 - 1, timeoutSeconds: 86_400});
  });

  it('refuses an order for a device that is offline, to everybody who waits for it, and takes it later', async () => {
    const bench = new Bench();
    bench.online = false;
    // The others join while the first is on its way to the device.
    bench.beforeWrite = () => settled();
    const results = await Promise.allSettled(Array.from({length: 10}, () => bench.desk.submit(REQUEST)));
    for (const result of results) expect(result).toMatchObject({status: 'rejected', reason: {code: 'DEVICE_OFFLINE'}});
    expect(bench.desk.find('d-1', 'o-1')).toBeUndefined();
    expect(bench.wheel.size).toBe(0);

    bench.online = true;
    bench.beforeWrite = () => {};
    const again = bench.desk.submit(REQUEST);
    await settled();
    // It was claimed before, so the device is asked first.
    expect(bench.asked).toHaveLength(1);
    expect(bench.written).toHaveLength(1);
    bench.report('done', 100);
    expect(await again).toMatchObject({state: 'done'});
  });

  it('refuses an order when its number cannot be claimed, and sends nothing', async () => {
    const bench = new Bench();
    bench.claims.claim = () => Promise.reject(new PaynetError('IDEMPOTENCY_UNAVAILABLE', 'away'));
    await expect(bench.desk.submit(REQUEST)).rejects.toMatchObject({code: 'IDEMPOTENCY_UNAVAILABLE'});
    expect(bench.written).toEqual([]);
    expect(bench.wheel.size).toBe(0);
  });
});

describe('acks', () => {
  it('makes no event of a repeated or overtaken one', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    for (const [state, progress] of [
      ['running', 50],
      ['running', 50],
      ['running', 20],
      ['accepted', 0],
      ['done', 100],
      ['running', 90],
      ['done', 100],
      ['accepted', 0],
    ] as const) {
      bench.report(state, progress);
    }
    await result;
    expect(bench.kinds).toEqual(['progressed running', 'finished done']);
  });

  it('leaves DONE as it is when FAILED follows, and tells of the contradiction', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.report('done', 100);
    bench.report('failed', 100, 'jam');
    expect(await result).toMatchObject({state: 'done'});
    expect(bench.desk.find('d-1', 'o-1')).toMatchObject({state: 'done'});
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'discrepancy',
      order: {state: 'done'},
      reported: {state: 'failed', progress: 100, error: 'jam'},
    });
  });

  it('records one that comes after the end of time, and changes nothing', async () => {
    const bench = new Bench();
    const result = bench.desk.submit({...REQUEST, timeoutSeconds: 5});
    await settled();
    bench.report('running', 10);
    await bench.pass(6);
    expect(await result).toMatchObject({state: 'failed', error: 'no end within 5 s'});
    bench.report('done', 100);
    expect(bench.desk.find('d-1', 'o-1')).toMatchObject({state: 'failed', progress: 10});
    expect(bench.kinds).toEqual(['progressed running', 'finished failed', 'discrepancy failed']);
    expect(bench.events.at(-1)?.reported).toEqual({state: 'done', progress: 100, error: ''});
  });

  it('refuses those for an order of another device, or of none', async () => {
    const bench = new Bench();
    void bench.desk.submit(REQUEST);
    await settled();
    const report = {state: 'done', progress: 100, error: ''} as const;
    for (const [deviceId, orderId] of [
      ['d-2', 'o-1'],
      ['d-1', 'o-2'],
    ] as const) {
      expect(() => bench.desk.reported(deviceId, orderId, report)).toThrow(
        expect.objectContaining({code: 'REFUSED', result: ResultCode.PARAM_ERROR}),
      );
    }
    expect(bench.desk.find('d-1', 'o-1')).toMatchObject({state: 'sent'});
    expect(bench.desk.find('d-2', 'o-1')).toBeUndefined();
  });
});

describe('an order without an answer', () => {
  it('is asked for, and goes on when the device has it', async () => {
    const bench = new Bench();
    bench.answer = () => running;
    const result = bench.desk.submit(REQUEST);
    await settled();
    await bench.pass(11);
    expect(bench.asked).toHaveLength(1);
    expect(bench.written).toHaveLength(1);
    expect(bench.kinds).toEqual(['progressed running']);
    // It was heard of: it is not asked for any more.
    await bench.pass(30);
    expect(bench.asked).toHaveLength(1);
    bench.report('done', 100);
    expect(await result).toMatchObject({state: 'done', attempts: 1});
  });

  it.each([
    ['does not know it', {found: false} as const],
    ['says of it what it says of any', blank],
  ])('is sent again under its number when the device %s, three times at most', async (_, answer) => {
    const bench = new Bench();
    bench.answer = () => answer;
    const result = bench.desk.submit(REQUEST);
    await settled();
    await bench.pass(45);
    expect(await result).toMatchObject({state: 'failed', attempts: 3});
    expect(bench.written.map(({orderId}) => orderId)).toEqual(['o-1', 'o-1', 'o-1']);
    expect(bench.kinds).toEqual(['finished failed']);
    // The device gets only the time that is left, or it would still pay out when the order has failed.
    expect(bench.written.map(({timeoutSeconds}) => timeoutSeconds)).toEqual([60, 50, 40]);
  });

  it('is not sent again after its time', async () => {
    const bench = new Bench();
    let tell = (_: {found: false}): void => {};
    bench.answer = () => new Promise((resolve) => (tell = resolve));
    const result = bench.desk.submit({...REQUEST, timeoutSeconds: 12});
    await settled();
    await bench.pass(13);
    expect(await result).toMatchObject({state: 'failed'});
    tell({found: false});
    await settled();
    expect(bench.written).toHaveLength(1);
    expect(bench.wheel.size).toBe(0);
  });

  it('ends with its time when the device stays away', async () => {
    const bench = new Bench();
    const result = bench.desk.submit({...REQUEST, timeoutSeconds: 45});
    await settled();
    bench.online = false;
    await bench.pass(46);
    expect(await result).toMatchObject({state: 'failed', error: 'no end within 45 s', attempts: 1});
    expect(bench.wheel.size).toBe(0);
  });

  it('is left alone by an answer that no device may give, which is told', async () => {
    const bench = new Bench();
    bench.answer = () => {
      throw new PaynetError('ANSWER_INVALID', 'state 99');
    };
    const result = bench.desk.submit(REQUEST);
    await settled();
    await bench.pass(11);
    expect(bench.kinds).toEqual(['discrepancy sent']);
    bench.report('done', 100);
    expect(await result).toMatchObject({state: 'done'});
  });
});

describe('a device that comes back', () => {
  it('is asked for its open orders, and only for its own', async () => {
    const bench = new Bench();
    const first = bench.desk.submit(REQUEST);
    void bench.desk.submit({...REQUEST, orderId: 'o-2', deviceId: 'd-2'});
    await settled();
    bench.report('running', 10);
    bench.answer = () => done;
    bench.desk.online('d-1');
    expect(await first).toMatchObject({state: 'done', attempts: 1});
    expect(bench.asked.map(({orderId}) => orderId)).toEqual(['o-1']);
    bench.desk.online('d-1');
    await settled();
    expect(bench.asked).toHaveLength(1);
  });

  it('is asked until it has answered, also when it breaks off while it is asked', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.report('running', 10);
    let breakOff = (_: Error): void => {};
    bench.answer = () => new Promise((_, reject) => (breakOff = reject));
    bench.desk.online('d-1');
    await settled();
    // Here again on a newer connection, before the end of the old one is known.
    bench.answer = () => done;
    bench.desk.online('d-1');
    breakOff(new PaynetError('CONNECTION_CLOSED', 'gone'));
    expect(await result).toMatchObject({state: 'done'});
    expect(bench.asked).toHaveLength(2);
  });

  it('is asked again later when it did not answer', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.report('running', 10);
    bench.answer = () => {
      throw new PaynetError('QUERY_TIMEOUT', 'silent');
    };
    bench.desk.online('d-1');
    await settled();
    bench.answer = () => done;
    await bench.pass(11);
    expect(await result).toMatchObject({state: 'done'});
  });

  it('is not paid twice when it has forgotten an order that it had acknowledged', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.report('running', 40);
    bench.answer = () => ({found: false});
    bench.desk.online('d-1');
    expect(await result).toMatchObject({state: 'failed', progress: 40, attempts: 1});
    expect(bench.written).toHaveLength(1);
    expect(bench.kinds).toEqual(['progressed running', 'finished failed', 'discrepancy failed']);
  });

  it('is not sent what it has acknowledged because it says of any order that it is accepted', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.report('running', 40);
    bench.answer = () => blank;
    bench.desk.online('d-1');
    await bench.pass(61);
    expect(await result).toMatchObject({state: 'failed', error: 'no end within 60 s', progress: 40});
    expect(bench.written).toHaveLength(1);
  });

  it('is sent what it did not get', async () => {
    const bench = new Bench();
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.desk.online('d-1');
    await settled();
    expect(bench.written).toHaveLength(2);
    bench.report('done', 100);
    expect(await result).toMatchObject({state: 'done', attempts: 2});
  });
});

describe('after a restart of the server', () => {
  async function restarted(): Promise<Bench> {
    const bench = new Bench();
    void bench.desk.submit(REQUEST).catch(() => undefined);
    await settled();
    bench.desk.close();
    bench.newDesk();
    return bench;
  }

  it('asks the device before it sends anything, and finds the end of the order', async () => {
    const bench = await restarted();
    bench.answer = () => done;
    expect(await bench.desk.submit(REQUEST)).toMatchObject({state: 'done'});
    expect(bench.written).toHaveLength(1);
  });

  it('waits for an order that the device is executing', async () => {
    const bench = await restarted();
    bench.answer = () => running;
    const result = bench.desk.submit(REQUEST);
    await settled();
    expect(bench.desk.find('d-1', 'o-1')).toMatchObject({state: 'running', attempts: 0});
    bench.answer = () => done;
    bench.desk.online('d-1');
    expect(await result).toMatchObject({state: 'done'});
    expect(bench.written).toHaveLength(1);
  });

  it('does not trip over a device that leaves while an order is executed', async () => {
    const bench = await restarted();
    bench.answer = () => running;
    const result = bench.desk.submit(REQUEST);
    await settled();
    bench.online = false;
    bench.desk.online('d-1');
    await bench.pass(61);
    expect(await result).toMatchObject({state: 'failed', error: 'no end within 60 s'});
  });

  it.each([[{found: false} as const], [blank]])('sends the order that the device does not have: %o', async (answer) => {
    const bench = await restarted();
    bench.answer = () => answer;
    const result = bench.desk.submit(REQUEST);
    await settled();
    expect(bench.written).toHaveLength(2);
    bench.report('done', 100);
    expect(await result).toMatchObject({state: 'done', attempts: 1});
  });

  it('sends nothing while the device cannot be asked', async () => {
    const bench = await restarted();
    bench.online = false;
    await expect(bench.desk.submit(REQUEST)).rejects.toMatchObject({code: 'DEVICE_OFFLINE'});
    expect(bench.written).toHaveLength(1);
    expect(bench.desk.find('d-1', 'o-1')).toBeUndefined();
  });
});

describe('the desk', () => {
  it('forgets the oldest of 10,000 ended orders, and never an open one', async () => {
    const bench = new Bench();
    const open = bench.desk.submit({...REQUEST, orderId: 'open'});
    await settled();
    let last: CoinOrder | undefined;
    for (let n = 0; n <= 10_000; n++) {
      const orderId = `n-${n}`;
      const result = bench.desk.submit({...REQUEST, orderId});
      await new Promise((resolve) => process.nextTick(resolve));
      while (bench.desk.find('d-1', orderId)?.state !== 'sent') await settled();
      bench.desk.reported('d-1', orderId, {state: 'done', progress: 100, error: ''});
      last = await result;
    }
    expect(last).toMatchObject({orderId: 'n-10000', state: 'done'});
    expect(bench.desk.find('d-1', 'n-0')).toBeUndefined();
    expect(bench.desk.find('d-1', 'n-1')).toMatchObject({state: 'done'});
    bench.desk.reported('d-1', 'open', {state: 'done', progress: 100, error: ''});
    expect(await open).toMatchObject({state: 'done'});
  });

  it('tells whoever waits when it is closed, and takes nothing any more', async () => {
    const bench = new Bench();
    const results = [bench.desk.submit(REQUEST), bench.desk.submit({...REQUEST, orderId: 'o-2'})];
    await settled();
    bench.desk.close();
    bench.desk.close();
    for (const result of await Promise.allSettled(results)) {
      expect(result).toMatchObject({status: 'rejected', reason: {code: 'SERVER_STOPPED'}});
    }
    await expect(bench.desk.submit({...REQUEST, orderId: 'o-3'})).rejects.toMatchObject({code: 'SERVER_STOPPED'});
    expect(bench.wheel.size).toBe(0);
    expect(bench.desk.find('d-1', 'o-1')).toMatchObject({state: 'sent'});
  });

  it('leaves no alarm when it is closed while a device is asked', async () => {
    const bench = new Bench();
    void bench.desk.submit(REQUEST).catch(() => undefined);
    await settled();
    let tell = (_: {found: false}): void => {};
    bench.answer = () => new Promise((resolve) => (tell = resolve));
    bench.desk.online('d-1');
    await settled();
    bench.desk.close();
    tell({found: false});
    await settled();
    expect(bench.wheel.size).toBe(0);
    expect(bench.written).toHaveLength(1);
  });
});
