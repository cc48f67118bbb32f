import {createHash, createHmac} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {
  countEvents,
  type EventSender,
  eventsOfOrder,
  replayDead,
  replayEvent,
  replayOrder,
  type Schedule,
} from '../../src/lib/events/index.js';
import {TARGET_WIDTH} from '../../src/lib/events/target.js';
import type {Store} from '../../src/lib/store/index.js';
import * as op from './operations.js';
import {SECRET} from './parts.js';
import {
  eventually,
  ok,
  open,
  type Received,
  type Reply,
  send,
  startSink,
  status,
  tellOf,
  tempFolder,
} from './support.js';

const fast: Schedule = {fast: [20, 40, 60], slow: [50], giveUpAfter: 3_600_000};
const numbers = (count: number): string[] => Array.from({length: count}, (_, index) => `N${index}`);
const drained = (store: Store) => eventually(async () => (await countEvents(store)).waiting === 0);
const statesOf = async (store: Store, orderNo: string) =>
  (await eventsOfOrder(store, orderNo, 0, 100)).map(({state}) => state);

/** Answers with what is given for an order; all else is accepted. */
const except =
  (orders: Record<string, Reply>): Reply =>
  (response, received) =>
    (orders[received.id.split(':')[0] ?? ''] ?? ok)(response, received);

describe('the sender', () => {
  it('sends what waits, in the sequence of each order, two at a time at most', async () => {
    const store = await open();
    const sink = await startSink(ok);
    await tellOf(store, numbers(20), 5);
    const sender = send(store, sink.url);
    await drained(store);
    expect(sink.ids).toHaveLength(100);
    for (const orderNo of numbers(20)) {
      expect(sink.ids.filter((id) => id.startsWith(`${orderNo}:`))).toEqual(
        [1, 2, 3, 4, 5].map((n) => `${orderNo}:${n}`),
      );
    }
    expect(sink.most).toBeLessThanOrEqual(2);
    expect(sender.stats).toMatchObject({pushed: 100, failed: 0, dead: 0});
  });

  it('sends at once when it is woken', async () => {
    const store = await open();
    const sink = await startSink(ok);
    const sender = send(store, sink.url);
    await store.run(op.tellOfDevice, {eventId: 'device.alarm:D1:1', at: Date.now()});
    sender.wake();
    await sink.until(() => sink.ids.length === 1);
    const [{headers, body}] = sink.received as [Received];
    expect(JSON.parse(body.toString())).toEqual({
      event_id: 'device.alarm:D1:1',
      event_type: 'device.alarm',
      device_phy_id: 'D1',
      timestamp: expect.any(Number),
      nonce: expect.stringMatching(/^[0-9a-f]{8}$/),
      data: {level: 'error'},
    });
    expect(headers).toMatchObject({'x-event-id': 'device.alarm:D1:1', 'webhook-id': 'device%2Ealarm:D1:1'});
  });

  it('names the order and the number of the event', async () => {
    const store = await open();
    const sink = await startSink(ok);
    await tellOf(store, ['订单"1'], 1);
    send(store, sink.url, {endpoint: {url: sink.url, secrets: [SECRET], apiKey: 'shop-key'}});
    await drained(store);
    const [{headers, body}] = sink.received as [Received];
    expect(JSON.parse(body.toString())).toMatchObject({
      event_id: '订单"1:1',
      order_no: '订单"1',
      sequence_no: 1,
      data: {order_no: '订单"1'},
    });
    expect(headers['x-api-key']).toBe('shop-key');
  });

  it('makes every attempt anew, under the same id', async () => {
    const store = await open();
    let left = 2;
    const sink = await startSink((response, one) => (left-- > 0 ? status(500) : ok)(response, one));
    await tellOf(store, ['A']);
    send(store, sink.url, {schedule: fast});
    await drained(store);
    expect(sink.ids).toEqual(['A:1', 'A:1', 'A:1']);
    for (const name of ['x-nonce', 'x-signature']) {
      expect(new Set(sink.received.map(({headers}) => headers[name])).size, name).toBe(3);
    }
    expect(new Set(sink.received.map(({body}) => JSON.parse(body.toString()).nonce)).size).toBe(3);
    expect((await eventsOfOrder(store, 'A', 0, 1))[0]).toMatchObject({state: 'pushed', attempts: 3, error: null});
  });

  it('keeps the later events of an order back, and nobody else', async () => {
    const store = await open();
    let broken = true;
    const sink = await startSink((response, one) => (broken ? except({A: status(500)}) : ok)(response, one));
    await tellOf(store, ['A', ...numbers(10)], 3);
    const sender = send(store, sink.url, {schedule: fast});
    await eventually(async () => (await countEvents(store)).waiting === 3 && sender.stats.failed >= 3);
    expect(new Set(sink.ids.filter((id) => id.startsWith('A')))).toEqual(new Set(['A:1']));
    broken = false;
    await drained(store);
    const accepted = sink.ids.filter((id) => id.startsWith('A'));
    expect(accepted.slice(accepted.lastIndexOf('A:1'))).toEqual(['A:1', 'A:2', 'A:3']);
  });

  it('gives an event up at 410, and goes on with the next of the order', async () => {
    const store = await open();
    const sink = await startSink((response, one) => (one.id === 'A:1' ? status(410) : ok)(response, one));
    await tellOf(store, ['A'], 3);
    send(store, sink.url);
    await drained(store);
    expect(sink.ids).toEqual(['A:1', 'A:2', 'A:3']);
    expect(await statesOf(store, 'A')).toEqual(['dead', 'pushed', 'pushed']);
    expect((await eventsOfOrder(store, 'A', 0, 1))[0]?.error).toBe('HTTP 410');
  });

  it('gives an event up when its time is over', async () => {
    const store = await open();
    const sink = await startSink(except({A: status(404)}));
    await tellOf(store, ['A'], 2);
    const sender = send(store, sink.url, {schedule: {...fast, giveUpAfter: 0}});
    await drained(store);
    expect(sink.ids).toEqual(['A:1', 'A:1', 'A:1', 'A:1', 'A:2', 'A:2', 'A:2', 'A:2']);
    expect(sender.stats).toMatchObject({pushed: 0, failed: 6, dead: 2});
  });

  it('waits as long as 429 asks', async () => {
    const store = await open();
    let asked = 0;
    const sink = await startSink((response, one) =>
      (asked++ === 0 ? status(429, {'retry-after': '1'}) : ok)(response, one),
    );
    await tellOf(store, ['A']);
    const begun = performance.now();
    const sender = send(store, sink.url, {schedule: fast});
    await eventually(() => sender.stats.paused);
    await drained(store);
    expect(performance.now() - begun).toBeGreaterThan(1000);
    expect(sink.ids).toEqual(['A:1', 'A:1']);
  });

  it('does not let a slow receiver stop it, and ends what is under way', async () => {
    const store = await open();
    const held: ServerResponse[] = [];
    const sink = await startSink((response, one) =>
      held.length < TARGET_WIDTH ? held.push(response) : ok(response, one),
    );
    await tellOf(store, numbers(TARGET_WIDTH + 3));
    const sender = send(store, sink.url);
    await eventually(() => held.length === TARGET_WIDTH);
    const stopped = sender.stop();
    for (const response of held) response.end();
    await stopped;
    expect(sink.ids).toHaveLength(TARGET_WIDTH);
    expect((await countEvents(store)).waiting).toBe(3);
    // What it had taken is given back: the next sender need not wait for the lease.
    send(store, sink.url);
    await drained(store);
    expect(sink.ids).toHaveLength(TARGET_WIDTH + 3);
  });

  it('stops twice, and does nothing afterwards', async () => {
    const store = await open();
    const sink = await startSink(ok);
    const sender = send(store, sink.url);
    await Promise.all([sender.stop(), sender.stop()]);
    await tellOf(store, ['A']);
    sender.wake();
    await sender.stop();
    expect(sink.ids).toEqual([]);
  });
});

describe('an endpoint that is away', () => {
  it('is spared, and gets everything at once when it is back', async () => {
    const store = await open();
    let up = false;
    const sink = await startSink((response, one) => {
      if (up) return ok(response, one);
      response.destroy();
    });
    await tellOf(store, numbers(40), 2);
    // Those that have failed would wait for an hour.
    const sender = send(store, sink.url, {schedule: {fast: [3_600_000], slow: [3_600_000], giveUpAfter: 1e9}});
    await eventually(() => sender.stats.paused);
    const tried = sink.ids.length;
    // Those that were under way together, and a few more.
    expect(tried).toBeLessThan(TARGET_WIDTH + 8);
    for (let count = 0; count < 100; count += 1) sender.wake();
    up = true;
    await drained(store);
    for (const orderNo of numbers(40)) {
      expect(sink.ids.slice(tried).filter((id) => id.startsWith(`${orderNo}:`))).toEqual([
        `${orderNo}:1`,
        `${orderNo}:2`,
      ]);
    }
    expect(sender.stats.paused).toBe(false);
  });

  it('gets the events of a long outage after a restart, with the first that it accepts', async () => {
    const store = await open();
    let up = false;
    const sink = await startSink((response, one) => (up ? ok : status(502))(response, one));
    await tellOf(store, ['A'], 2);
    const schedule = {fast: [3_600_000], slow: [3_600_000], giveUpAfter: 1e9};
    const first = send(store, sink.url, {schedule});
    await eventually(() => first.stats.failed === 1 && first.stats.inFlight === 0);
    await first.stop();
    up = true;
    const second = send(store, sink.url, {schedule});
    await tellOf(store, ['B']);
    second.wake();
    await drained(store);
    expect(sink.ids).toEqual(['A:1', 'B:1', 'A:1', 'A:2']);
  });

  it('does not make events wait when the clock is set back', async () => {
    const store = await open();
    const sink = await startSink(ok);
    let ahead = 7_200_000;
    const sender = send(store, sink.url, {now: () => Date.now() + ahead});
    for (const [index, eventId] of ['first', 'second'].entries()) {
      await store.run(op.tellOfDevice, {eventId, at: Date.now() + ahead});
      sender.wake();
      await eventually(() => sender.stats.pushed === index + 1 && sender.stats.inFlight === 0);
    }
    await store.run(op.tellOfDevice, {eventId: 'of-the-future', at: Date.now() + ahead});
    ahead = 0;
    sender.wake();
    await sink.until(() => sink.ids.length === 3);
    expect(sink.ids[2]).toBe('of-the-future');
  });
});

describe('secrets', () => {
  /** As a receiver would, by the interface's text. */
  const verify = ({headers, body, path}: Received, secret: string): {ours: boolean; standard: boolean} => {
    const hash = createHash('sha256').update(body).digest('hex');
    const text = ['POST', path, headers['x-timestamp'], headers['x-nonce'], hash].join('\n');
    const ours = createHmac('sha256', secret).update(text).digest('hex');
    const given = [headers['x-signature'], ...String(headers['x-signature-others'] ?? '').split(',')];
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body.toString()}`;
    const standard = `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
    return {ours: given.includes(ours), standard: String(headers['webhook-signature']).split(' ').includes(standard)};
  };
  const OTHER = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
  const yes = {ours: true, standard: true};
  const no = {ours: false, standard: false};

  it('change between attempts: both are good in the meantime', async () => {
    const store = await open();
    let up = false;
    const sink = await startSink((response, one) => (up ? ok : status(401))(response, one));
    await tellOf(store, ['A']);
    for (const secrets of [[SECRET], [OTHER, SECRET], [OTHER]]) {
      const count = sink.ids.length;
      const sender = send(store, sink.url, {schedule: fast, endpoint: {url: sink.url, secrets}});
      await sink.until(() => sink.ids.length > count);
      up = secrets[1] === undefined && secrets[0] === OTHER;
      await sender.stop();
      const one = sink.received[count] as Received;
      expect(verify(one, SECRET)).toEqual(secrets.includes(SECRET) ? yes : no);
      expect(verify(one, OTHER)).toEqual(secrets.includes(OTHER) ? yes : no);
    }
  });

  it('must be there, and good', async () => {
    const store = await open();
    const url = 'http://127.0.0.1:1/';
    const start = (secrets: string[], apiKey?: string) => () => send(store, url, {endpoint: {url, secrets, apiKey}});
    expect(start([])).toThrow(expect.objectContaining({code: 'EVENT_SECRET'}));
    expect(start(['whsec_AAAA'])).toThrow(expect.objectContaining({code: 'EVENT_SECRET'}));
    expect(start([SECRET], 'a\r\nb')).toThrow(expect.objectContaining({code: 'EVENT_API_KEY'}));
    expect(() => send(store, url, {allowPrivate: false})).toThrow(expect.objectContaining({code: 'EVENT_URL'}));
  });
});

describe('replay', () => {
  async function withDead(): Promise<{store: Store; sender: EventSender; ids: () => string[]; mend: () => void}> {
    const store = await open();
    let up = false;
    const sink = await startSink((response, one) => (up || one.id === 'B:2' ? ok : status(410))(response, one));
    await tellOf(store, ['A', 'B'], 2);
    const sender = send(store, sink.url);
    await drained(store);
    const count = sink.ids.length;
    return {
      store,
      sender,
      ids: () => sink.ids.slice(count),
      mend: () => {
        up = true;
      },
    };
  }

  it('sends one event again', async () => {
    const {store, sender, ids, mend} = await withDead();
    mend();
    expect(await store.run(replayEvent, {eventId: 'A:2', at: Date.now()})).toBe(1);
    expect(await store.run(replayEvent, {eventId: 'A:2', at: Date.now()})).toBe(0);
    expect(await store.run(replayEvent, {eventId: 'none', at: Date.now()})).toBe(0);
    sender.wake();
    await drained(store);
    expect(ids()).toEqual(['A:2']);
  });

  it('sends all events of an order again, those that were accepted, too', async () => {
    const {store, sender, ids, mend} = await withDead();
    mend();
    expect(await store.run(replayOrder, {orderNo: 'B', at: Date.now()})).toBe(2);
    sender.wake();
    await drained(store);
    expect(ids()).toEqual(['B:1', 'B:2']);
  });

  it('sends everything again that was given up, once', async () => {
    const {store, sender, ids, mend} = await withDead();
    expect((await countEvents(store)).dead).toBe(3);
    mend();
    expect(await replayDead(store, Date.now())).toBe(3);
    sender.wake();
    await drained(store);
    expect(ids().sort()).toEqual(['A:1', 'A:2', 'B:1']);
    expect((await countEvents(store)).dead).toBe(0);
  });
});

it('keeps its events when the process of the store goes', async () => {
  const path = join(tempFolder(), 'paynet.db');
  const first = await open({engine: 'sqlite', path});
  const sink = await startSink(ok);
  await tellOf(first, ['A'], 3);
  await first.close();
  const second = await open({engine: 'sqlite', path});
  send(second, sink.url);
  await drained(second);
  expect(sink.ids).toEqual(['A:1', 'A:2', 'A:3']);
});
