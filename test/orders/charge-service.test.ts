import {describe, expect, it} from 'vitest';
import {ChargeBench, REQUEST} from './charge-bench.js';
import {alarms, portOf, stopsOf, waiting} from './charge-orders.js';
import {eventTypes} from './store.js';

const failsWith = (code: string) => expect.objectContaining({code});
const figures = (wattHours: number) => ({watts: 200, wattHours, seconds: wattHours * 20});

describe('a charging order', () => {
  it('is stored with its command before it is answered, in one operation, and the sender is woken', async () => {
    const bench = await ChargeBench.start();
    const before = bench.store.figures.operations;
    const {outcome, order} = await bench.orders.create(REQUEST);
    expect([outcome, order.state, order.stateCode, order.amountCent]).toEqual(['created', 'pending', 0, 300]);
    expect(bench.store.figures.operations).toBe(before + 1);
    expect(bench.woken).toEqual(['D1']);
    expect(await waiting(bench.store)).toMatchObject([{id: 'start:A', kind: 'startCharge'}]);
  });

  it('goes on to its end; progress is told, and stored with the end', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    await bench.sends();
    await bench.orders.startAcked('D1', 'A', {success: true, charging: false, error: ''});
    await bench.says('charging');
    const before = bench.store.figures.operations;
    for (let count = 1; count <= 50; count += 1) await bench.orders.progress('D1', 1, 'A', figures(count));
    expect(bench.store.figures.operations).toBe(before);
    expect(await bench.orders.get('A')).toMatchObject({state: 'charging', energyWh: 50, durationSeconds: 1000});
    await bench.orders.ended('D1', 1, 'A', {wattHours: 51, seconds: 1020, reason: 'full'});
    expect(await bench.orders.get('A')).toMatchObject({state: 'completed', energyWh: 51, endReason: 'full'});
    expect(bench.store.figures.operations).toBe(before + 1);
    expect(bench.kinds.filter((kind) => !kind.startsWith('progressed'))).toEqual([
      'created pending',
      'changed confirmed',
      'changed charging',
      'finished completed',
    ]);
    expect(bench.news.at(-2)).toMatchObject({kind: 'progressed', watts: 200, order: {energyWh: 50}});
    expect(await portOf(bench.store)).toBe(0);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    expect(await bench.state('B')).toBe('pending');
  });

  it('is one when it comes twenty times at once, and one of twenty on its port', async () => {
    const bench = await ChargeBench.start();
    const same = await Promise.all(Array.from({length: 20}, () => bench.orders.create(REQUEST)));
    expect(same.filter(({outcome}) => outcome === 'created')).toHaveLength(1);
    const others = Array.from({length: 20}, (_, index) => bench.orders.create({...REQUEST, orderNo: `N${index}`}));
    const results = await Promise.allSettled(others);
    for (const result of results) {
      expect(result).toMatchObject({status: 'rejected', reason: failsWith('PENDING_ORDER_EXISTS')});
    }
    expect(bench.woken).toEqual(['D1']);
  });

  it('is refused when it is not what can be ordered', async () => {
    const bench = await ChargeBench.start();
    const before = bench.store.figures.operations;
    const wrong: [string, object][] = [
      ['no number', {orderNo: ''}],
      ['a number of 33', {orderNo: 'x'.repeat(33)}],
      ['port 0', {portNo: 0}],
      ['nothing paid', {amountCent: 0}],
      ['half a cent', {amountCent: 0.5}],
      ['less than a minute', {mode: {by: 'time', seconds: 59}}],
      ['more than 15 hours', {mode: {by: 'time', seconds: 54_001}}],
      ['no energy', {mode: {by: 'energy', wattHours: 0}}],
      ['no tiers', {mode: {by: 'power', tiers: []}}],
      ['six tiers', {mode: {by: 'power', tiers: Array(6).fill({watts: 100, cents: 1, seconds: 60})}}],
      ['a tier of 2^16 W', {mode: {by: 'power', tiers: [{watts: 65_536, cents: 1, seconds: 60}]}}],
      ['no mode', {mode: {by: 'toString'}}],
      ['a fee above all', {serviceFeePermille: 1001}],
      ['a negative price', {pricePerKwhCent: -1}],
    ];
    for (const [what, more] of wrong) {
      const refused = expect.objectContaining({code: 'ORDER_INVALID'});
      await expect(bench.orders.create({...REQUEST, ...more}), what).rejects.toEqual(refused);
    }
    expect(bench.store.figures.operations).toBe(before);
  });

  it('is refused when its device is away, cannot charge, or too much waits; one that is known is answered', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    const other = {...REQUEST, orderNo: 'B', portNo: 2};
    bench.waitingCommands = 1001;
    await expect(bench.orders.create(other)).rejects.toEqual(failsWith('QUEUE_OVERLOADED'));
    expect((await bench.orders.create(REQUEST)).outcome).toBe('same');
    bench.waitingCommands = 1000;
    bench.unsupported.add('startCharge');
    await expect(bench.orders.create(other)).rejects.toEqual(failsWith('COMMAND_UNSUPPORTED'));
    bench.online.clear();
    await expect(bench.orders.create(other)).rejects.toEqual(failsWith('DEVICE_OFFLINE'));
    expect((await bench.orders.create(REQUEST)).outcome).toBe('same');
    const changed = {...REQUEST, amountCent: 301};
    await expect(bench.orders.create(changed)).rejects.toEqual(failsWith('ORDER_CONFLICT'));
    expect(await bench.orders.get('B')).toBeUndefined();
  });

  it('is refused on a port that is in use or has a fault', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    const next = {...REQUEST, orderNo: 'B'};
    await expect(bench.orders.create(next)).rejects.toEqual(failsWith('PORT_BUSY'));
    await bench.says('fault', 2);
    await expect(bench.orders.create({...next, portNo: 2})).rejects.toEqual(failsWith('PORT_FAULT'));
    await expect(bench.orders.create({...next, orderNo: 'A'})).resolves.toMatchObject({outcome: 'same'});
    await expect(bench.orders.create({...REQUEST, portNo: 2})).rejects.toEqual(failsWith('ORDER_CONFLICT'));
  });

  it('fails when the device refuses it, or it cannot be written', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    await bench.orders.startAcked('D1', 'A', {success: false, charging: false, error: 'no plug'});
    expect(await bench.orders.get('A')).toMatchObject({state: 'failed', error: 'no plug'});
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    const command = {deviceId: 'D1', orderNo: 'B', kind: 'startCharge'};
    await bench.orders.commandEnded(command, {state: 'expired', error: 'not sent in time'});
    expect(await bench.state('B')).toBe('pending');
    await bench.orders.commandEnded(command, {state: 'refused', error: 'no such port'});
    expect(await bench.orders.get('B')).toMatchObject({state: 'failed', error: 'no such port'});
  });
});

describe('calling off', () => {
  it('cancels at once what was not written, and stops what may have been', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    expect((await bench.orders.cancel('A')).state).toBe('cancelled');
    expect(await waiting(bench.store)).toEqual([]);
    await bench.orders.create({...REQUEST, orderNo: 'B'});
    await bench.sends();
    expect((await bench.orders.cancel('B')).state).toBe('cancelling');
    expect((await bench.orders.cancel('B')).state).toBe('cancelling');
    expect(await stopsOf(bench.store, 'B')).toMatchObject([
      {priority: 1, state: 'waiting', payload: '{"port":1,"orderId":"B"}'},
    ]);
    await bench.orders.stopAcked('D1', 'B', {success: true});
    expect(await bench.state('B')).toBe('cancelled');
    await expect(bench.orders.cancel('B')).rejects.toEqual(failsWith('ORDER_FINISHED'));
    await expect(bench.orders.cancel('X')).rejects.toEqual(failsWith('ORDER_NOT_FOUND'));
    expect(await eventTypes(bench.store, 'B')).toEqual(['order.created', 'order.cancelled']);
  });

  it('stops what charges, by its number or its port, and does not cancel it', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await expect(bench.orders.cancel('A')).rejects.toEqual(failsWith('ORDER_IS_CHARGING'));
    await expect(bench.orders.stopPort('D1', 2)).rejects.toEqual(failsWith('PORT_STATE_MISMATCH'));
    await expect(bench.orders.stopPort('D1', 1, 'B')).rejects.toEqual(failsWith('PORT_STATE_MISMATCH'));
    expect((await bench.orders.stopPort('D1', 1, 'A')).state).toBe('stopping');
    expect((await bench.orders.stopOrder('A')).state).toBe('stopping');
    expect(await stopsOf(bench.store, 'A')).toHaveLength(1);
    await bench.orders.stopAcked('D1', 'A', {success: false});
    expect(await bench.state()).toBe('stopping');
    await bench.pass(31);
    expect([await bench.state(), await portOf(bench.store)]).toEqual(['stopped', 0]);
    await bench.orders.ended('D1', 1, 'A', {wattHours: 9, seconds: 60, reason: 'server_stop'});
    expect(await bench.orders.get('A')).toMatchObject({state: 'stopped', energyWh: 9, endReason: 'server_stop'});
    await expect(bench.orders.stopOrder('A')).rejects.toEqual(failsWith('ORDER_FINISHED'));
  });

  it('sends a stop even when nothing else would be taken', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    bench.waitingCommands = 1001;
    await bench.orders.stopOrder('A');
    expect(await stopsOf(bench.store, 'A')).toMatchObject([{priority: 0}]);
  });

  it('waits with a stop for a device that is away', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.goes();
    await expect(bench.orders.stopOrder('A')).rejects.toEqual(failsWith('PORT_STATE_MISMATCH'));
    expect(bench.counted).toEqual(['invalid_transition']);
    expect(bench.warnings).toHaveLength(1);
  });
});

describe('time', () => {
  it('gives an order up that nobody has taken after 10 s, and stops a device that takes it later', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    await bench.sends();
    await bench.pass(10);
    expect(await bench.state()).toBe('pending');
    await bench.pass(1);
    expect([await bench.state(), await portOf(bench.store)]).toEqual(['timeout', 0]);
    await bench.orders.startAcked('D1', 'A', {success: true, charging: false, error: ''});
    expect(await bench.state()).toBe('timeout');
    expect(await stopsOf(bench.store, 'A')).toMatchObject([{priority: 0, state: 'waiting'}]);
    expect(bench.news.at(-1)).toMatchObject({kind: 'discrepancy', reported: {state: 'started'}});
    expect(bench.woken).toEqual(['D1', 'D1']);
  });

  it('gives an order up that does not begin within 30 s', async () => {
    const bench = await ChargeBench.start();
    await bench.orders.create(REQUEST);
    await bench.sends();
    await bench.orders.startAcked('D1', 'A', {success: true, charging: false, error: ''});
    await bench.pass(30);
    expect(await bench.state()).toBe('confirmed');
    await bench.pass(1);
    expect([await bench.state(), (await stopsOf(bench.store, 'A')).length]).toEqual(['failed', 1]);
  });

  it('stores progress at most once a minute, many orders in one operation', async () => {
    const bench = await ChargeBench.start();
    for (let portNo = 1; portNo <= 5; portNo += 1) await bench.charges({orderNo: `N${portNo}`, portNo});
    const rounds = async (seconds: number): Promise<number> => {
      const before = bench.store.figures.operations;
      for (let second = 0; second < seconds; second += 1) {
        for (let portNo = 1; portNo <= 5; portNo += 1) {
          await bench.orders.progress('D1', portNo, `N${portNo}`, figures(second));
        }
        // Only the sweep: `pass` counts with operations of its own.
        bench.now += 1000;
        bench.wheel.advance(1000);
        await bench.store.read(alarms, {deviceId: 'nobody'});
      }
      return bench.store.figures.operations - before;
    };
    expect(await rounds(50)).toBe(0);
    await rounds(15);
    await bench.settled();
    expect((await bench.orders.get('N3'))?.energyWh).toBe(14);
    await bench.orders.progress('D1', 3, 'N3', figures(99));
    await bench.restart();
    expect((await bench.orders.get('N3'))?.energyWh).toBe(99);
  });

  it('stops by force what charges past every limit', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.skip(7200);
    expect(await bench.state()).toBe('charging');
    await bench.pass(2);
    expect(await bench.orders.get('A')).toMatchObject({state: 'stopping', endReason: 'max_time'});
    expect(await stopsOf(bench.store, 'A')).toMatchObject([{priority: 0}]);
  });

  it('lets an order without a duration charge on while its device shows that it does', async () => {
    const bench = await ChargeBench.start();
    await bench.charges({mode: {by: 'full'}});
    await bench.skip(3600);
    await bench.says('charging');
    await bench.skip(3660);
    expect(await bench.state()).toBe('charging');
    await bench.skip(3550);
    expect(await bench.state()).toBe('stopping');
  });

  it('times nothing out for a stall of the process', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.orders.stopOrder('A');
    await bench.orders.create({...REQUEST, orderNo: 'B', portNo: 2});
    bench.now += 60_000;
    bench.wheel.advance(1000);
    await bench.settled();
    expect([await bench.state('A'), await bench.state('B')]).toEqual(['stopping', 'pending']);
    // What was read meanwhile comes first.
    await bench.orders.stopAcked('D1', 'A', {success: true});
    await bench.pass(1);
    expect([await bench.state('A'), await bench.state('B')]).toEqual(['stopped', 'timeout']);
  });
});

describe('what ports say', () => {
  it('costs one operation, however often it is repeated', async () => {
    const bench = await ChargeBench.start();
    const before = bench.store.figures.operations;
    for (let count = 0; count < 100; count += 1) await bench.says('free');
    expect(bench.store.figures.operations).toBe(before + 1);
    await bench.charges();
    await bench.says('charging');
    const then = bench.store.figures.operations;
    for (let count = 0; count < 100; count += 1) {
      await bench.says('charging');
      bench.orders.heard('D1');
    }
    expect(bench.store.figures.operations).toBe(then);
  });

  it('begins an order, ends it by a fault, and frees the port with the fault', async () => {
    const bench = await ChargeBench.start();
    await bench.says('free');
    await bench.orders.create(REQUEST);
    await bench.sends();
    await bench.orders.startAcked('D1', 'A', {success: true, charging: false, error: ''});
    await bench.says('charging');
    expect(await bench.state()).toBe('charging');
    await bench.orders.fault('D1', 1, undefined, 'fuse');
    expect(await bench.orders.get('A')).toMatchObject({state: 'failed', error: 'fuse'});
    expect(await portOf(bench.store)).toBe(3);
    await bench.says('free');
    await bench.charges({orderNo: 'B'});
    await bench.orders.fault('D1', 1, 'A', 'fuse');
    expect(await bench.state('B')).toBe('charging');
  });

  it('stops what charges for nobody, again after five minutes, and raises an alarm', async () => {
    const bench = await ChargeBench.start();
    for (let count = 0; count < 10; count += 1) await bench.says('charging');
    expect(await waiting(bench.store)).toMatchObject([{kind: 'stopCharge', order_no: null}]);
    expect([bench.woken, bench.counted]).toEqual([['D1'], ['charging_without_order']]);
    await bench.skip(300);
    await bench.says('charging');
    expect(await bench.store.read(alarms, {deviceId: 'D1'})).toHaveLength(2);
  });

  it('completes an order whose port is free for 15 minutes', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.orders.progress('D1', 1, 'A', figures(30));
    for (let minute = 0; minute < 15; minute += 1) {
      await bench.says('free');
      await bench.skip(60);
    }
    expect(await bench.state()).toBe('charging');
    await bench.skip(240);
    await bench.says('free');
    expect(await bench.orders.get('A')).toMatchObject({state: 'completed', energyWh: 30, endReason: 'port_free'});
  });

  it('is asked for when a device is silent for five minutes, once a round', async () => {
    const bench = await ChargeBench.start();
    await bench.pass(1);
    await bench.skip(290);
    expect(await waiting(bench.store)).toEqual([]);
    await bench.skip(30);
    const asked = await waiting(bench.store);
    expect(asked).toMatchObject([{kind: 'queryPort', priority: 9, payload: '{}', order_no: null}]);
    await bench.skip(280);
    expect(await waiting(bench.store)).toHaveLength(1);
    bench.unsupported.add('queryPort');
    await bench.skip(320);
    expect(await waiting(bench.store)).toHaveLength(1);
  });
});

describe('devices that say strange things', () => {
  it('changes no order of another device, and counts', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.orders.startAcked('D2', 'A', {success: false, charging: false, error: ''});
    await bench.orders.stopAcked('D2', 'A', {success: true});
    await bench.orders.progress('D2', 1, 'A', figures(1));
    await bench.orders.ended('D2', 1, 'A', {wattHours: 1, seconds: 1, reason: 'full'});
    expect(await bench.state()).toBe('charging');
    expect(bench.counted).toEqual(Array(4).fill('unknown_order'));
    expect(await bench.store.read(alarms, {deviceId: 'D2'})).toHaveLength(1);
  });

  it('raises one alarm for the end of a session that no order knows, however often it is told', async () => {
    const bench = await ChargeBench.start();
    const end = {wattHours: 12, seconds: 60, reason: 'full'};
    for (let count = 0; count < 3; count += 1) await bench.orders.ended('D1', 1, 'X', end);
    const told = (await bench.store.read(alarms, {deviceId: 'D1'})).map(({data}) => JSON.parse(data));
    expect(told).toMatchObject([{alarm_type: 'unknown_session_ended', metadata: {order_no: 'X', energy_wh: 12}}]);
  });

  it('finds the order of a report without a number by its port', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.restart();
    await bench.orders.progress('D1', 1, '', figures(3));
    await bench.orders.ended('D1', 1, '', {wattHours: 12, seconds: 60, reason: 'full'});
    expect(await bench.orders.get('A')).toMatchObject({state: 'completed', energyWh: 12});
  });

  it('stops what goes on after its order has ended, but not for a report that was on its way', async () => {
    const bench = await ChargeBench.start();
    await bench.charges();
    await bench.orders.stopOrder('A');
    await bench.orders.stopAcked('D1', 'A', {success: true});
    await bench.orders.progress('D1', 1, 'A', figures(5));
    expect(await stopsOf(bench.store, 'A')).toMatchObject([{state: 'done'}]);
    await bench.skip(64);
    await bench.orders.progress('D1', 1, 'A', figures(6));
    expect(await stopsOf(bench.store, 'A')).toMatchObject([{state: 'done'}, {state: 'waiting', priority: 0}]);
    expect(bench.news.at(-1)).toMatchObject({kind: 'discrepancy', reported: {state: 'charging'}});
  });

  it('logs a stop that did not reach its device', async () => {
    const bench = await ChargeBench.start();
    const command = {deviceId: 'D1', orderNo: 'A', kind: 'stopCharge'};
    await bench.orders.commandEnded(command, {state: 'dead', error: 'no answer'});
    expect(bench.warnings).toMatchObject([{orderNo: 'A', error: 'no answer'}]);
  });
});
