import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import * as orders from '../../src/lib/orders/index.js';
import {claimForSending, commandById, commandFailed} from '../../src/lib/outbound/index.js';
import type {Query, Store, StoreTarget, Value} from '../../src/lib/store/index.js';
import {explain} from '../store/explain.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {alarms, charge, FIGURES, INPUTS, type Input, portOf, stateOf, stopsOf, waiting} from './charge-orders.js';
import {allOrders, eventsOf, eventTypes, open, sqliteTarget, T} from './store.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

describe.each(['sqlite', 'postgres'] as const)('charging orders on %s', (engine) => {
  const target = async (): Promise<StoreTarget> =>
    engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()};
  const start = async (): Promise<Store> => open(await target());
  const apply = (store: Store, orderNo: string, input: Input, at: number, figures?: orders.ChargeFigures) =>
    store.run(orders.applyCharge, {orderNo, deviceId: 'D1', input, at, figures});
  /** Sends what is next for the device: it must be this command. */
  const send = async (store: Store, id: string, at = T + 100) => {
    const sent = await store.run(claimForSending, {deviceId: 'D1', at, owner: 'sender', until: at + 30_000});
    expect(sent?.id).toBe(id);
    return sent;
  };
  const discrepancies = (store: Store, orderNo: string) => store.read(orders.discrepanciesOfOrder, {orderNo});

  it('stores order, port, start command and event at once', async () => {
    const store = await start();
    const created = await store.run(orders.createCharge, charge('A', {serviceFeePermille: 50}));
    expect(created).toMatchObject({outcome: 'created', order: {state: 'pending', stateCode: 0, dueAt: T + 10_001}});
    expect(await portOf(store)).toBe(1);
    const command = await store.readFirst(commandById, {id: 'start:A'});
    expect(command).toMatchObject({kind: 'startCharge', priority: 2, state: 'waiting', expires_at: T + 10_000});
    expect(JSON.parse(command?.payload ?? '')).toEqual({
      port: 1,
      orderId: 'A',
      mode: {by: 'time', seconds: 3600},
      serviceFeePermille: 50,
    });
    const [event] = await store.read(eventsOf, {orderNo: 'A'});
    expect([event?.type, JSON.parse(event?.data ?? '')]).toEqual([
      'order.created',
      {
        order_no: 'A',
        port_no: 1,
        charge_mode: 1,
        duration: 3600,
        kwh_limit: null,
        power_level: null,
        amount_cent: 300,
        price_per_kwh: null,
        old_status: null,
        old_status_code: null,
        new_status: 'pending',
        new_status_code: 0,
        created_at: T / 1000,
      },
    ]);
  });

  it.each(['a port that is new', 'a port that is known'])(
    'makes one order of twenty for %s, and tells the others why',
    async (port) => {
      const store = await start();
      // The first port also opens the connections: at the others they all come at the same moment.
      for (let portNo = 1; portNo <= 5; portNo += 1) {
        const free = {deviceId: 'D1', portNo, status: 'free', raw: null, at: T - 60_000} as const;
        if (port === 'a port that is known') await store.run(orders.notePort, free);
        const numbers = Array.from({length: 20}, (_, index) => `N${portNo}-${index}`);
        const all = numbers.map((orderNo) => store.run(orders.createCharge, charge(orderNo, {portNo})));
        const outcomes = (await Promise.all(all)).map(({outcome}) => outcome);
        expect(outcomes.sort()).toEqual(['created', ...Array(19).fill('pending')]);
      }
      expect(await store.read(allOrders)).toHaveLength(5);
      expect(await waiting(store)).toHaveLength(5);
      const later = await store.run(orders.createCharge, charge('later', {at: T + 10_000}));
      expect(later.outcome).toBe('busy');
    },
  );

  it('makes one order of twenty with one number, and refuses another content or kind', async () => {
    const store = await start();
    const answers = await Promise.all(Array.from({length: 20}, () => store.run(orders.createCharge, charge('A'))));
    expect(answers.map(({outcome}) => outcome).sort()).toEqual(['created', ...Array(19).fill('same')]);
    const other = charge('A', {bodyHash: 'other', portNo: 2});
    expect((await store.run(orders.createCharge, other)).outcome).toBe('conflict');
    expect(await portOf(store, 2)).toBeUndefined();
    const coin = {orderNo: 'C', deviceId: 'D1', coins: 1, timeoutSeconds: 60, amountCent: 1, keepMs: 1000, at: T};
    await store.run(orders.createCoin, {...coin, bodyHash: 'hash'});
    expect((await store.run(orders.createCharge, charge('C', {portNo: 3}))).outcome).toBe('conflict');
    expect(await store.run(orders.applyCharge, {orderNo: 'C', input: INPUTS.stop, at: T})).toBeUndefined();
    expect(await eventTypes(store, 'A')).toEqual(['order.created']);
  });

  it('makes one order of one number that comes for many ports at once, and holds no other port', async () => {
    const store = await start();
    const ports = Array.from({length: 10}, (_, index) => index + 1);
    const answers = await Promise.all(
      ports.map((portNo) => store.run(orders.createCharge, charge('A', {portNo, bodyHash: `for ${portNo}`}))),
    );
    expect(answers.map(({outcome}) => outcome).sort()).toEqual([...Array(9).fill('conflict'), 'created']);
    const held = await store.read(orders.portsOfDevice, {deviceId: 'D1'});
    expect(held.filter(({status}) => status !== 0)).toHaveLength(1);
  });

  it.each<['free' | 'occupied' | 'charging' | 'fault', string]>([
    ['free', 'created'],
    ['occupied', 'busy'],
    ['charging', 'busy'],
    ['fault', 'fault'],
  ])('on a port that is %s: %s', async (status, outcome) => {
    const store = await start();
    await store.run(orders.notePort, {deviceId: 'D1', portNo: 1, status, raw: 0x80, at: T - 60_000});
    expect((await store.run(orders.createCharge, charge('A'))).outcome).toBe(outcome);
  });

  it.each<[string, (keyof typeof INPUTS)[], string, string[], number]>([
    [
      'all its life',
      ['acked', 'seen', 'ended'],
      'completed',
      ['order.confirmed', 'charging.started', 'charging.ended', 'order.completed'],
      0,
    ],
    ['a protocol without a sign', ['ackedCharging'], 'charging', ['order.confirmed', 'charging.started'], 2],
    ['a sign before the ack', ['seen', 'acked'], 'charging', ['order.confirmed', 'charging.started'], 2],
    ['refused', ['refused', 'refused'], 'failed', ['order.failed'], 0],
    ['nobody answers', ['tick'], 'timeout', ['order.timeout'], 0],
    ['does not begin', ['acked', 'tick'], 'failed', ['order.confirmed', 'order.failed'], 0],
    ['cancelled', ['acked', 'cancel', 'stopAcked'], 'cancelled', ['order.confirmed', 'order.cancelled'], 0],
    [
      'stopped',
      ['ackedCharging', 'stop', 'stopAcked', 'ended', 'ended'],
      'stopped',
      ['order.confirmed', 'charging.started', 'order.stopped', 'charging.ended'],
      0,
    ],
    [
      'stopped without a word',
      ['ackedCharging', 'stop', 'tick'],
      'stopped',
      ['order.confirmed', 'charging.started', 'order.stopped'],
      0,
    ],
    [
      'had ended by itself',
      ['ackedCharging', 'stop', 'ended', 'stopAcked'],
      'completed',
      ['order.confirmed', 'charging.started', 'charging.ended', 'order.completed'],
      0,
    ],
    [
      'away and back',
      ['ackedCharging', 'offline', 'online', 'recovered'],
      'charging',
      ['order.confirmed', 'charging.started', 'order.interrupted', 'order.resumed'],
      2,
    ],
    [
      'away for good',
      ['ackedCharging', 'offline', 'tick'],
      'failed',
      ['order.confirmed', 'charging.started', 'order.interrupted', 'order.failed'],
      0,
    ],
    [
      'a fault',
      ['ackedCharging', 'fault'],
      'failed',
      ['order.confirmed', 'charging.started', 'charging.ended', 'order.failed'],
      0,
    ],
    ['far too long', ['ackedCharging', 'tick'], 'stopping', ['order.confirmed', 'charging.started'], 2],
  ])('%s: state, events, port and time limit', async (_, inputs, state, events, port) => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    let at = T;
    for (const name of inputs) {
      const before = await store.readFirst(orders.orderByNo, {orderNo: 'A'});
      at = name === 'tick' ? Number(before?.due_at) : at + 1000;
      await apply(store, 'A', INPUTS[name], at, name === 'ended' ? FIGURES : undefined);
    }
    const row = await store.readFirst(orders.orderByNo, {orderNo: 'A'});
    const over = ['completed', 'failed', 'timeout', 'cancelled', 'stopped'].includes(state);
    expect([row?.state, row?.due_at === null, row?.ended_at === null]).toEqual([state, over, !over]);
    expect(await eventTypes(store, 'A')).toEqual(['order.created', ...events]);
    expect(await portOf(store)).toBe(port);
    expect(await discrepancies(store, 'A')).toEqual([]);
    expect(['waiting', 'sent']).not.toContain((await store.readFirst(commandById, {id: 'start:A'}))?.state);
  });

  it('tells of the end what was used, and what it costs', async () => {
    const store = await start();
    const order = charge('A', {pricePerKwhCent: 120, serviceFeePermille: 100, mode: {by: 'energy', wattHours: 2000}});
    await store.run(orders.createCharge, order);
    await apply(store, 'A', INPUTS.ackedCharging, T + 1000);
    await apply(store, 'A', INPUTS.ended, T + 1_801_000, {wattHours: 1500, seconds: 1800, peakWatts: 3300});
    const data = (await store.read(eventsOf, {orderNo: 'A'})).map((event) => JSON.parse(event.data));
    expect(data[0]).toMatchObject({charge_mode: 2, kwh_limit: 2, duration: null});
    expect(data[3]).toEqual({
      order_no: 'A',
      port_no: 1,
      duration: 1800,
      total_kwh: 1.5,
      end_reason: 'no_load',
      end_reason_msg: 'no load',
      ended_at: T / 1000 + 1801,
    });
    expect(data[4]).toMatchObject({total_kwh: 1.5, peak_power: 3300, avg_power: 3000, total_amount: 1.98});
    const row = await store.readFirst(orders.orderByNo, {orderNo: 'A'});
    expect([row?.energy_wh, row?.duration_s, row?.end_reason, row?.error]).toEqual([1500, 1800, 'no_load', null]);
  });

  it('completes the figures of a stopped order once, and leaves everything else of it', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.ackedCharging, T + 1000);
    await apply(store, 'A', INPUTS.stop, T + 2000);
    await apply(store, 'A', INPUTS.stopAcked, T + 3000, {wattHours: 70, seconds: 1700, peakWatts: null});
    expect(await apply(store, 'A', INPUTS.ended, T + 4000, FIGURES)).toMatchObject({change: 'changed'});
    expect(await apply(store, 'A', INPUTS.ended, T + 5000, FIGURES)).toMatchObject({change: 'unchanged'});
    const row = await store.readFirst(orders.orderByNo, {orderNo: 'A'});
    expect(row).toMatchObject({state: 'stopped', energy_wh: 80, duration_s: 1800, ended_at: T + 3000, due_at: null});
  });

  it('never leaves a final state, whatever comes', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.refused, T + 1000);
    for (const input of Object.values(INPUTS)) await apply(store, 'A', input, T + 90_000_000);
    expect(await store.readFirst(orders.orderByNo, {orderNo: 'A'})).toMatchObject({
      state: 'failed',
      ended_at: T + 1000,
    });
    expect(await portOf(store)).toBe(0);
  });

  it('writes nothing for another device, or for no order', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    const of = {input: INPUTS.ackedCharging, at: T + 1000};
    expect(await store.run(orders.applyCharge, {orderNo: 'A', deviceId: 'D2', ...of})).toBeUndefined();
    expect(await store.run(orders.applyCharge, {orderNo: 'B', deviceId: 'D1', ...of})).toBeUndefined();
    expect([await stateOf(store, 'A'), await eventTypes(store, 'A')]).toEqual(['pending', ['order.created']]);
  });

  it('stops a device whose ack comes too late, once a minute, and notes each contradiction once', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await send(store, 'start:A');
    await apply(store, 'A', INPUTS.tick, T + 10_001);
    const late = await apply(store, 'A', INPUTS.acked, T + 12_000);
    expect(late).toMatchObject({change: 'discrepancy', commanded: true, order: {state: 'timeout'}});
    expect(await apply(store, 'A', INPUTS.acked, T + 13_000)).toMatchObject({change: 'unchanged', commanded: false});
    expect(await apply(store, 'A', INPUTS.seen, T + 72_001)).toMatchObject({change: 'discrepancy', commanded: true});
    expect(await stopsOf(store, 'A')).toMatchObject([{priority: 0}, {priority: 0}]);
    const noted = (await discrepancies(store, 'A')).map(({reported}) => JSON.parse(reported));
    expect(noted).toEqual([{state: 'started'}, {state: 'charging'}]);
    expect(await eventTypes(store, 'A')).toEqual([
      'order.created',
      'order.timeout',
      'order.discrepancy',
      'order.discrepancy',
    ]);
  });

  it('does not stop the next order of a port for a late ack of the one before', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.tick, T + 10_001);
    await store.run(orders.createCharge, charge('B', {at: T + 11_000}));
    await send(store, 'start:B', T + 11_001);
    expect(await apply(store, 'A', INPUTS.acked, T + 12_000)).toMatchObject({change: 'discrepancy', commanded: false});
    expect(await stopsOf(store, 'A')).toEqual([]);
  });

  it('keeps what an end report says of an order that had failed, for a person to see', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.ackedCharging, T + 1000);
    await apply(store, 'A', INPUTS.offline, T + 2000);
    await apply(store, 'A', INPUTS.tick, T + 62_001);
    expect((await apply(store, 'A', INPUTS.ended, T + 90_000, FIGURES))?.change).toBe('discrepancy');
    const [noted] = await discrepancies(store, 'A');
    expect(noted).toMatchObject({order_state: 'failed', resolved_at: null});
    expect(JSON.parse(noted?.reported ?? '')).toEqual({
      state: 'ended',
      reason: 'no_load',
      energy_wh: 80,
      duration: 1800,
    });
  });

  it('drops the retry of a stop before the next order of its port begins, and of no other port', async () => {
    const store = await start();
    for (const [orderNo, portNo] of [['A', 1] as const, ['B', 2] as const]) {
      await store.run(orders.createCharge, charge(orderNo, {portNo}));
      await apply(store, orderNo, INPUTS.ackedCharging, T + 1000);
      await apply(store, orderNo, INPUTS.stop, T + 2000);
      await send(store, `stop:${orderNo}:asked:${T + 2000}`, T + 2000);
      const failed = {id: `stop:${orderNo}:asked:${T + 2000}`, owner: 'sender', error: 'no answer', at: T + 12_000};
      expect(await store.run(commandFailed, failed)).toBe('waiting');
      await apply(store, orderNo, INPUTS.tick, T + 32_001);
      expect(await stateOf(store, orderNo)).toBe('stopped');
    }
    await store.run(orders.createCharge, charge('C', {at: T + 40_000}));
    expect((await stopsOf(store, 'A')).map(({state}) => state)).toEqual(['cancelled']);
    expect((await stopsOf(store, 'B')).map(({state}) => state)).toEqual(['waiting']);
  });

  it('cancels or sends, exactly one of them', async () => {
    const store = await start();
    const numbers = Array.from({length: 40}, (_, index) => `N${index}`);
    const deviceOf = (orderNo: string): string => `device of ${orderNo}`;
    for (const orderNo of numbers) {
      await store.run(orders.createCharge, charge(orderNo, {deviceId: deviceOf(orderNo)}));
    }
    const at = T + 1000;
    const results = await Promise.all(
      numbers.map(async (orderNo, index) => {
        const deviceId = deviceOf(orderNo);
        const cancel = () => store.run(orders.applyCharge, {orderNo, deviceId, input: INPUTS.cancel, at});
        const claim = () => store.run(claimForSending, {deviceId, at, owner: 'sender', until: at + 30_000});
        if (index % 2 === 0) {
          const [cancelled, claimed] = await Promise.all([cancel(), claim()]);
          return [cancelled?.order.state, claimed?.kind === 'startCharge'];
        }
        const [claimed, cancelled] = await Promise.all([claim(), cancel()]);
        return [cancelled?.order.state, claimed?.kind === 'startCharge'];
      }),
    );
    for (const [index, [state, wasSent]] of results.entries()) {
      const orderNo = numbers[index] as string;
      expect(state).toBe(wasSent ? 'cancelling' : 'cancelled');
      expect(await stopsOf(store, orderNo)).toHaveLength(wasSent ? 1 : 0);
      const port = await store.readFirst(orders.portByNo, {deviceId: deviceOf(orderNo), portNo: 1});
      expect(port?.status).toBe(wasSent ? 1 : 0);
    }
  });

  it('judges what a port says against its order', async () => {
    const store = await start();
    const note = (status: orders.PortStatus, at: number) =>
      store.run(orders.notePort, {deviceId: 'D1', portNo: 1, status, raw: null, at});
    await store.run(orders.createCharge, charge('A'));
    expect(await note('free', T + 10)).toMatchObject({result: undefined, mismatch: undefined});
    expect(await portOf(store)).toBe(1);
    // Its start was not even written.
    expect(await note('charging', T + 20)).toMatchObject({result: undefined, mismatch: 'charging_without_order'});
    expect([await portOf(store), await stateOf(store, 'A')]).toEqual([1, 'pending']);
    await send(store, 'start:A');
    expect(await note('charging', T + 200)).toMatchObject({result: {change: 'changed', order: {state: 'charging'}}});
    expect(await note('free', T + 1000)).toMatchObject({result: undefined, mismatch: 'free_while_charging'});
    expect([await portOf(store), await stateOf(store, 'A')]).toEqual([2, 'charging']);
    const minutes = 60_000;
    expect(await note('free', T + 200 + 15 * minutes)).toMatchObject({result: undefined});
    const end = await note('free', T + 201 + 15 * minutes);
    expect(end.result).toMatchObject({change: 'changed', order: {state: 'completed', endReason: 'port_free'}});
    expect(await portOf(store)).toBe(0);
  });

  it('stops a port that charges for nobody, with an alarm, but not for a word that was on its way', async () => {
    const store = await start();
    const note = (at: number) =>
      store.run(orders.notePort, {deviceId: 'D1', portNo: 1, status: 'charging' as const, raw: 0x90, at});
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.ackedCharging, T + 1000);
    await apply(store, 'A', INPUTS.ended, T + 2000, FIGURES);
    expect(await note(T + 3000)).toEqual({result: undefined, mismatch: undefined, commanded: false, passing: true});
    expect(await portOf(store)).toBe(0);
    expect(await note(T + 12_000)).toMatchObject({mismatch: 'charging_without_order', commanded: true});
    expect(await note(T + 12_000)).toMatchObject({mismatch: 'charging_without_order', commanded: false});
    expect(await waiting(store)).toMatchObject([
      {kind: 'stopCharge', order_no: null, payload: '{"port":1}', priority: 1, expires_at: T + 42_000},
    ]);
    const told = (await store.read(alarms, {deviceId: 'D1'})).map(({data}) => JSON.parse(data));
    expect(told).toMatchObject([{alarm_type: 'charging_without_order', port_no: 1, level: 'error'}]);
    expect((await store.run(orders.createCharge, charge('B', {at: T + 12_001}))).outcome).toBe('busy');
  });

  it('ends a running order whose port has a fault, and keeps the fault', async () => {
    const store = await start();
    await store.run(orders.createCharge, charge('A'));
    await apply(store, 'A', INPUTS.ackedCharging, T + 1000);
    await store.run(orders.notePort, {deviceId: 'D1', portNo: 1, status: 'fault', raw: 1, at: T + 2000});
    expect([await stateOf(store, 'A'), await portOf(store)]).toEqual(['failed', 3]);
    await store.run(orders.notePort, {deviceId: 'D1', portNo: 1, status: 'free', raw: 0, at: T + 3000});
    expect((await store.run(orders.createCharge, charge('B', {at: T + 4000}))).outcome).toBe('created');
  });

  it('notes progress of many orders, moves the limit of one without a duration, and leaves what is over', async () => {
    const store = await start();
    const numbers = ['C', 'A', 'B'];
    for (const [index, orderNo] of numbers.entries()) {
      await store.run(orders.createCharge, charge(orderNo, {portNo: index + 1, mode: {by: 'full'}}));
      await apply(store, orderNo, INPUTS.ackedCharging, T + 1000);
    }
    await apply(store, 'B', INPUTS.ended, T + 2000, FIGURES);
    const told = {watts: 120, wattHours: 500, seconds: 3000};
    const all = [...numbers.map((orderNo) => ({orderNo, told, at: T + 60_000})), {orderNo: 'X', told, at: T}];
    await Promise.all([store.run(orders.noteProgress, {all}), store.run(orders.noteProgress, {all: all.toReversed()})]);
    const rows = new Map((await store.read(allOrders)).map((row) => [row.order_no, row]));
    expect(rows.get('A')).toMatchObject({energy_wh: 500, duration_s: 3000, due_at: T + 60_000 + 2 * 3_600_000 + 1});
    expect(rows.get('B')).toMatchObject({state: 'completed', energy_wh: 80, due_at: null});
    await store.run(orders.noteProgress, {all: [{orderNo: 'A', told: null, at: T + 120_000}]});
    expect(await store.readFirst(orders.orderByNo, {orderNo: 'A'})).toMatchObject({
      energy_wh: 500,
      due_at: T + 120_000 + 2 * 3_600_000 + 1,
    });
    expect(await store.readFirst(orders.portByNo, {deviceId: 'D1', portNo: 2})).toMatchObject({power_w: 120});
  });

  it.each<[string, Query<never, unknown>, Record<string, Value>, string]>([
    ['the sweep', orders.dueCharges, {at: T, limit: 9}, 'orders_due'],
    ['the audit', orders.activeCharges, {afterDevice: 'D', afterPort: 1, limit: 9}, 'orders_active_port'],
    ['the order of a port', orders.activeChargeOfPort, {deviceId: 'D', portNo: 1}, 'orders_active_port'],
    ['the orders of a device', orders.activeChargesOfDevice, {deviceId: 'D'}, 'orders_active_port'],
    ['a port', orders.portByNo, {deviceId: 'D', portNo: 1}, 'ports_pkey|sqlite_autoindex_ports_1'],
    ['the ports of a device', orders.portsOfDevice, {deviceId: 'D'}, 'ports_pkey|sqlite_autoindex_ports_1'],
    ['the stops to come', orders.waitingStopsOfDevice, {deviceId: 'D'}, 'commands_waiting'],
    [
      'whether an end was told',
      orders.eventOfType,
      {orderNo: 'A', type: 'charging.ended'},
      'events_order_sequence|sqlite_autoindex_events_2',
    ],
  ])('answers %s by an index', async (_, query, params, index) => {
    const place = await target();
    await (await open(place)).close();
    const plan = (await explain(place, query, params)).join('\n');
    expect(plan).toMatch(new RegExp(`\\b(${index})\\b`));
    expect(plan).not.toMatch(/TEMP B-TREE|Sort|Seq Scan|^SCAN (orders|commands|events|ports)$/m);
  });
});
