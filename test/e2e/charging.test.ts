import {describe, expect, it, vi} from 'vitest';
import {type CommandData, type DiscrepancyData, pathOf} from '../../src/lib/client/index.js';
import {openPile, type Pile, pileAdapter} from './pile.js';
import {type OrderShown, openTill, type Till} from './till.js';

async function open(): Promise<{till: Till; pile: Pile}> {
  const till = await openTill({extras: {adapters: [pileAdapter]}});
  return {till, pile: await openPile(till, 'pile001')};
}

function place(till: Till, orderNo: string, more: object = {}): Promise<OrderShown> {
  const body = {order_no: orderNo, device_id: 'pile001', port_no: 1, charge_mode: 1, amount: 100, duration_minutes: 60};
  return till.http.post('/api/v1/charge-orders', {body: {...body, ...more}});
}

/** An order that charges. */
async function charge(till: Till, pile: Pile, orderNo: string): Promise<void> {
  await place(till, orderNo);
  await pile.answer(/ START /, 'OK');
  pile.say(`WORK 1 ${orderNo} 500 10 60`);
  await till.told('charging.started', orderNo);
}

const stop = (till: Till, orderNo: string): Promise<OrderShown> =>
  till.http.post(pathOf`/api/v1/orders/${orderNo}/stop`);

const portOf = async (till: Till): Promise<unknown> =>
  (await till.http.get<{ports: unknown[]}>('/api/v1/devices/pile001')).ports[0];

describe('a charging pile with a protocol of its own', () => {
  it('charges: from the order to the figures of its end, told without a gap', async () => {
    const {till, pile} = await open();
    expect(await place(till, 'C-1')).toMatchObject({status: 'pending', status_code: 0, port_no: 1, online: true});
    expect(await till.http.get('/api/v1/devices/pile001')).toMatchObject({
      online: true,
      protocol: 'pile',
      active_orders: [{order_no: 'C-1', kind: 'charge'}],
    });
    expect(await pile.answer(/ START /, 'OK')).toBe('1 START 1 C-1 time');
    await till.told('order.confirmed', 'C-1');
    expect(await till.order('C-1')).toMatchObject({status: 'confirmed', started_at: null});
    pile.say('WORK 1 C-1 400 10 60');
    await till.told('charging.started', 'C-1');
    const stream = await till.follow();
    pile.say('WORK 1 C-1 600 200 1200');
    await stream.until(({data}) => (data as {watts?: number}).watts === 600);
    expect(await till.order('C-1')).toMatchObject({status: 'charging', energy_wh: 200, duration_seconds: 1200});
    pile.say('END 1 C-1 250 1800 full');
    await pile.line(/^SEEN C-1$/);
    expect((await till.told('order.completed', 'C-1')).data).toMatchObject({
      duration: 1800,
      total_kwh: 0.25,
      peak_power: 600,
      avg_power: 500,
      total_amount: 1,
      end_reason: 'full',
    });
    const types = ['order.created', 'order.confirmed', 'charging.started', 'charging.ended', 'order.completed'];
    expect(till.types('C-1')).toEqual(types);
    expect(till.refused).toEqual([]);
    expect((await till.events('C-1')).map(({sequence_no}) => sequence_no)).toEqual([1, 2, 3, 4, 5]);
    expect(await till.order('C-1')).toMatchObject({status: 'completed', energy_wh: 250, end_reason: 'full'});
    expect(await portOf(till)).toMatchObject({port_no: 1, status_name: 'free', can_charge: true});
    // The pile did not hear that it was heard.
    pile.say('END 1 C-1 250 1800 full');
    await pile.line(/^SEEN C-1$/);
    expect(await till.events('C-1')).toHaveLength(5);
  });

  it('refuses: the order has failed, and its port is free for the next one', async () => {
    const {till, pile} = await open();
    await place(till, 'C-1');
    await pile.answer(/ START /, 'NO the hatch is open');
    expect((await till.told('order.failed', 'C-1')).data).toMatchObject({reason: 'the hatch is open'});
    await place(till, 'C-2');
    expect(await pile.answer(/ START /, 'OK')).toMatch(/ START 1 C-2 time$/);
    await till.told('order.confirmed', 'C-2');
  });

  it('has one order at a port', async () => {
    const {till, pile} = await open();
    await place(till, 'C-1');
    await expect(place(till, 'C-2')).rejects.toMatchObject({code: 'PENDING_ORDER_EXISTS', status: 409});
    expect(await place(till, 'C-1')).toMatchObject({order_no: 'C-1'});
    await expect(place(till, 'C-1', {amount: 200})).rejects.toMatchObject({code: 'IDEMPOTENCY_CONFLICT'});
    await pile.answer(/ START /, 'OK');
    await till.told('order.confirmed', 'C-1');
    await expect(place(till, 'C-2')).rejects.toMatchObject({code: 'PORT_BUSY', status: 409});
    await place(till, 'C-2', {port_no: 2});
    await pile.line(/ START 2 C-2 /);
  });

  it('is stopped by the interface', async () => {
    const {till, pile} = await open();
    await charge(till, pile, 'C-1');
    await expect(till.http.post('/api/v1/orders/C-1/cancel')).rejects.toMatchObject({code: 'ORDER_IS_CHARGING'});
    expect(await stop(till, 'C-1')).toMatchObject({status: 'stopping', old_status: 'charging'});
    expect(await pile.answer(/ STOP /, 'OK')).toMatch(/ STOP 1 C-1$/);
    await till.told('order.stopped', 'C-1');
    pile.say('END 1 C-1 120 600 stopped');
    expect((await till.told('charging.ended', 'C-1')).data).toMatchObject({total_kwh: 0.12, duration: 600});
    expect(await till.order('C-1')).toMatchObject({status: 'stopped', energy_wh: 120});
    await expect(stop(till, 'C-1')).rejects.toMatchObject({code: 'ORDER_FINISHED'});
    expect(await portOf(till)).toMatchObject({status_name: 'free'});
  });

  it('gives up an order that is cancelled before it charges', async () => {
    const {till, pile} = await open();
    await place(till, 'C-1');
    await pile.answer(/ START /, 'OK');
    await till.told('order.confirmed', 'C-1');
    expect(await till.http.post('/api/v1/orders/C-1/cancel')).toMatchObject({
      status: 'cancelling',
      old_status: 'confirmed',
    });
    await pile.answer(/ STOP 1 C-1$/, 'OK');
    await till.told('order.cancelled', 'C-1');
    await place(till, 'C-2');
    await pile.line(/ START 1 C-2 /);
  });

  it('does not answer: the order is over after 10 s, and what it starts too late is stopped', async () => {
    const {till, pile} = await open();
    await place(till, 'C-1');
    const start = await pile.line(/ START /);
    expect((await till.told('order.timeout', 'C-1')).data).toMatchObject({old_status: 'pending'});
    expect(await portOf(till)).toMatchObject({status_name: 'free'});
    pile.say(`${start.split(' ')[0]} OK`);
    expect(await pile.answer(/ STOP /, 'OK')).toMatch(/ STOP 1 C-1$/);
    await till.told('order.discrepancy', 'C-1');
    const {discrepancies} = await till.http.get<{discrepancies: DiscrepancyData[]}>('/api/v1/discrepancies');
    expect(discrepancies).toMatchObject([{order_no: 'C-1', order_status: 'timeout', resolved_at: null}]);
    expect(await till.order('C-1')).toMatchObject({status: 'timeout'});
  });

  it('goes away while it charges, comes back, and the order goes on', async () => {
    const {till, pile} = await open();
    await charge(till, pile, 'C-1');
    await pile.leave();
    await till.told('order.interrupted', 'C-1');
    // It has never registered: it is known from the next batch on.
    await vi.waitFor(async () => {
      expect(await till.http.get('/api/v1/devices/pile001')).toMatchObject({online: false, status: 'offline'});
    });
    const back = await openPile(till, 'pile001');
    // It is asked how its ports are.
    await back.answer(/ PORT$/, 'OK');
    back.say('STATE 1 charging');
    const beat = setInterval(() => back.say('BEAT'), 250);
    try {
      await till.told('order.resumed', 'C-1');
    } finally {
      clearInterval(beat);
    }
    expect(await till.order('C-1')).toMatchObject({status: 'charging'});
    back.say('END 1 C-1 90 700 full');
    await till.told('order.completed', 'C-1');
    expect(till.types('C-1').slice(3)).toEqual([
      'order.interrupted',
      'order.resumed',
      'charging.ended',
      'order.completed',
    ]);
  });

  it('takes its own place on a newer connection, and goes on charging', async () => {
    const {till, pile} = await open();
    await charge(till, pile, 'C-1');
    const newer = await openPile(till, 'pile001');
    await expect(pile.line(/^nothing more$/)).rejects.toThrow('has ended the connection');
    await vi.waitFor(() => expect(till.server.metrics.counters.sessionsOnline).toBe(1));
    expect(await till.http.get('/api/v1/devices/pile001')).toMatchObject({online: true});
    await stop(till, 'C-1');
    await newer.answer(/ STOP 1 C-1$/, 'OK');
    await till.told('order.stopped', 'C-1');
    expect(till.types('C-1')).not.toContain('order.interrupted');
    await newer.leave();
    await vi.waitFor(() => expect(till.server.metrics.counters.sessionsOnline).toBe(0));
    expect(till.server.isOnline('pile001')).toBe(false);
  });

  it('has no such stop: it lies among the dead letters until somebody has it sent again or gives it up', async () => {
    const {till, pile} = await open();
    const dead = async (count: number): Promise<CommandData[]> =>
      vi.waitFor(
        async () => {
          const path = '/api/v1/dead-letters';
          const {dead_letters: found} = await till.http.get<{dead_letters: CommandData[]}>(path);
          expect(found).toHaveLength(count);
          return found;
        },
        {timeout: 10_000},
      );
    await charge(till, pile, 'C-1');
    await stop(till, 'C-1');
    await pile.answer(/ STOP 1 C-1$/, 'NEVER');
    const [first] = await dead(1);
    expect(first).toMatchObject({device_id: 'pile001', order_no: 'C-1', kind: 'stopCharge', status: 'dead'});
    expect((await till.http.get<{queue: object}>('/api/v1/stats')).queue).toEqual({dead: 1});
    await till.http.post(pathOf`/api/v1/dead-letters/${first?.id ?? ''}/retry`);
    await pile.answer(/ STOP 1 C-1$/, 'OK');
    await till.told('order.stopped', 'C-1');
    await dead(0);

    await charge(till, pile, 'C-2');
    await stop(till, 'C-2');
    await pile.answer(/ STOP 1 C-2$/, 'NEVER');
    const [second] = await dead(1);
    const dismiss = pathOf`/api/v1/dead-letters/${second?.id ?? ''}/dismiss`;
    await till.http.post(dismiss, {body: {reason: 'switched off by hand'}});
    await dead(0);
    await expect(till.http.post(dismiss, {body: {reason: 'again'}})).rejects.toMatchObject({
      code: 'COMMAND_NOT_FOUND',
    });
  });
});
