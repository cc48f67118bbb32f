import {describe, expect, it} from 'vitest';
import {ChargeBench, REQUEST} from './charge-bench.js';
import {portOf, stopsOf, waiting} from './charge-orders.js';
import {eventTypes} from './store.js';

describe('a device that goes away while it charges', () => {
  const interrupted = async (): Promise<ChargeBench> => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.orders.progress('D1', 1, 'A', {watts: 100, wattHours: 7, seconds: 60});
    await bench.goes();
    return bench;
  };
  const heard = async (bench: ChargeBench, times: number, apart = 1): Promise<void> => {
    for (let count = 0; count < times; count += 1) {
      bench.orders.heard('D1');
      await bench.pass(apart);
    }
  };

  it('has its order interrupted, with what it had told, and failed after a minute', async () => {
    const bench = await interrupted();
    expect(await bench.orders.get('A')).toMatchObject({state: 'interrupted', energyWh: 7});
    await bench.pass(60);
    expect(await bench.state()).toBe('interrupted');
    await bench.pass(1);
    expect([await bench.state(), await portOf(bench.store)]).toEqual(['failed', 0]);
    expect((await eventTypes(bench.store, 'A')).slice(-2)).toEqual(['order.interrupted', 'order.failed']);
  });

  it('goes on after three frames a second apart, with a port that is normal since', async () => {
    const bench = await interrupted();
    await bench.pass(50);
    await bench.comes();
    expect(await waiting(bench.store)).toMatchObject([{kind: 'queryPort', priority: 5}]);
    await heard(bench, 5);
    expect(await bench.state()).toBe('interrupted');
    await bench.says('occupied');
    await heard(bench, 1);
    expect(await bench.state()).toBe('charging');
    expect((await eventTypes(bench.store, 'A')).slice(-2)).toEqual(['order.interrupted', 'order.resumed']);
    const before = bench.store.figures.operations;
    for (let count = 0; count < 100; count += 1) {
      bench.now += 1000;
      bench.orders.heard('D1');
    }
    expect(bench.store.figures.operations).toBe(before);
  });

  it('does not take frames that come together for three', async () => {
    const bench = await interrupted();
    await bench.comes();
    await bench.says('charging');
    for (let count = 0; count < 50; count += 1) bench.orders.heard('D1');
    await bench.pass(1);
    for (let count = 0; count < 50; count += 1) bench.orders.heard('D1');
    await bench.settled();
    expect(await bench.state()).toBe('interrupted');
    await bench.pass(1);
    bench.orders.heard('D1');
    await bench.settled();
    expect(await bench.state()).toBe('charging');
  });

  it('has a minute from each time it comes back, and no more', async () => {
    const bench = await interrupted();
    await bench.pass(55);
    await bench.comes();
    await bench.pass(55);
    expect(await bench.state()).toBe('interrupted');
    await bench.goes();
    await bench.comes();
    await bench.says('free');
    await heard(bench, 59);
    expect(await bench.state()).toBe('interrupted');
    await bench.pass(2);
    expect(await bench.state()).toBe('failed');
  });

  it('is completed by an end report that comes meanwhile', async () => {
    const bench = await interrupted();
    await bench.comes();
    await bench.orders.ended('D1', 1, 'A', {wattHours: 9, seconds: 70, reason: 'unplugged'});
    expect(await bench.orders.get('A')).toMatchObject({state: 'completed', energyWh: 9});
    await heard(bench, 4);
    expect(await bench.state()).toBe('completed');
  });

  it('goes on when its orders could not be read at first', async () => {
    const bench = await interrupted();
    bench.failingReads = 3;
    await bench.comes();
    await bench.says('charging');
    await heard(bench, 6);
    expect(bench.failingReads).toBe(0);
    expect(bench.warnings).not.toEqual([]);
    expect(await bench.state()).toBe('charging');
  });

  it('interrupts nothing when the device has another connection already', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    bench.orders.online('D1');
    bench.orders.offline('D1');
    await bench.settled();
    expect(await bench.state()).toBe('charging');
  });
});

describe('after a restart', () => {
  const place = async (): Promise<ChargeBench> => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    return bench;
  };
  const confirm = async (): Promise<ChargeBench> => {
    const bench = await place();
    await bench.sends();
    await bench.orders.startAcked('D1', 'A', {success: true, charging: false, error: ''});
    return bench;
  };
  const charge = async (): Promise<ChargeBench> => {
    const bench = await ChargeBench.start();
    await bench.charges();
    return bench;
  };

  it('a pending order can be taken, or is given up in time', async () => {
    const bench = await place();
    await bench.restart({after: 5});
    await bench.comes();
    await bench.sends();
    await bench.orders.startAcked('D1', 'A', {success: true, charging: true, error: ''});
    expect(await bench.state()).toBe('charging');
    const late = await place();
    await late.restart({after: 60});
    await late.pass(1);
    expect([await late.state(), await portOf(late.store)]).toEqual(['timeout', 0]);
    expect(await late.sends()).toEqual([]);
  });

  it('a confirmed order begins, or is given up after devices had time to come back', async () => {
    const bench = await confirm();
    await bench.restart({after: 60});
    await bench.pass(20);
    expect(await bench.state()).toBe('confirmed');
    await bench.comes();
    await bench.says('charging');
    expect(await bench.state()).toBe('charging');
    const lost = await confirm();
    await lost.restart({after: 60});
    await lost.pass(31);
    expect(await lost.state()).toBe('failed');
  });

  it('a charging order goes on with its device, and is interrupted without it', async () => {
    const bench = await charge();
    await bench.restart();
    await bench.comes();
    await bench.pass(31);
    expect(await bench.state()).toBe('charging');
    await bench.restart();
    await bench.pass(29);
    expect(await bench.state()).toBe('charging');
    await bench.pass(2);
    expect(await bench.state()).toBe('interrupted');
    await bench.pass(61);
    expect(await bench.state()).toBe('failed');
  });

  it('an order that was interrupted has its minute from when its device comes back', async () => {
    const bench = await charge();
    await bench.goes();
    await bench.restart({after: 300});
    await bench.pass(25);
    expect(await bench.state()).toBe('interrupted');
    await bench.comes();
    await bench.says('charging');
    for (let count = 0; count < 3; count += 1) {
      await bench.pass(10);
      bench.orders.heard('D1');
    }
    await bench.settled();
    expect(await bench.state()).toBe('charging');
  });

  it.each<['cancelling' | 'stopping', string]>([
    ['cancelling', 'cancelled'],
    ['stopping', 'stopped'],
  ])('an order that is %s waits for its ack, or ends in time', async (state, end) => {
    const begin = async (): Promise<ChargeBench> => {
      const bench = await confirm();
      await (state === 'cancelling' ? bench.orders.cancel('A') : bench.orders.stopOrder('A'));
      expect(await bench.state()).toBe(state);
      await bench.restart({after: 60});
      return bench;
    };
    const acked = await begin();
    await acked.comes();
    expect(await acked.sends()).toMatchObject([{kind: 'stopCharge'}]);
    await acked.orders.stopAcked('D1', 'A', {success: true});
    expect([await acked.state(), await portOf(acked.store)]).toEqual([end, 0]);
    const silent = await begin();
    await silent.pass(29);
    expect(await silent.state()).toBe(state);
    await silent.pass(2);
    expect([await silent.state(), await portOf(silent.store)]).toEqual([end, 0]);
    // The power may be on: it is stopped when its device comes.
    expect((await stopsOf(silent.store, 'A')).map((stop) => stop.state)).toEqual(['waiting']);
  });

  it.each<[string, (bench: ChargeBench) => Promise<unknown>]>([
    ['completed', (bench) => bench.orders.ended('D1', 1, 'A', {wattHours: 1, seconds: 60, reason: 'full'})],
    ['failed', (bench) => bench.orders.fault('D1', 1, 'A', 'fuse').then(() => bench.says('free'))],
  ])('an order that is %s stays so, and its port takes the next one', async (state, end) => {
    const bench = await charge();
    await end(bench);
    await bench.restart({after: 60});
    await bench.comes();
    expect(await bench.state()).toBe(state);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    expect((await bench.orders.create(REQUEST)).order.state).toBe(state);
  });
});
