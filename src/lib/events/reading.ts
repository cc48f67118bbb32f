import {type EventRow, type EventState, type Params, prepare, type Query, type Store} from '../store/index.js';

/** Which events; what is not given does not matter. */
export interface EventFilter {
  readonly state?: EventState | undefined;
  readonly type?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly orderNo?: string | undefined;
  /** Only those before this row: the `id` of the last row of the page before. */
  readonly before?: number | undefined;
}

interface Given {
  state: EventState;
  type: string;
  deviceId: string;
  orderNo: string;
  before: number;
  limit: number;
}

const lists = new Map<string, Query<Given, EventRow>>();

/** Events, the latest first, at most `limit`. */
export function listEvents(store: Store, filter: EventFilter, limit: number): Promise<EventRow[]> {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined);
  const names = new Set(given.map(([name]) => name));
  const shape = [...names].sort().join();
  let query = lists.get(shape);
  if (query === undefined) {
    query = listQuery(names);
    lists.set(shape, query);
  }
  return store.read(query, {...Object.fromEntries(given), limit} as Given);
}

function listQuery(given: ReadonlySet<string>): Query<Given, EventRow> {
  return prepare((db, p: Params<Given>) => {
    let query = db.selectFrom('events').selectAll();
    if (given.has('state')) query = query.where('state', '=', p.state);
    if (given.has('type')) query = query.where('type', '=', p.type);
    if (given.has('deviceId')) query = query.where('device_id', '=', p.deviceId);
    if (given.has('orderNo')) query = query.where('order_no', '=', p.orderNo);
    if (given.has('before')) query = query.where('id', '<', p.before);
    return query.orderBy('id', 'desc').limit(p.limit);
  });
}

const ofOrder = prepare((db, p: Params<{orderNo: string; after: number; limit: number}>) =>
  db
    .selectFrom('events')
    .selectAll()
    .where('order_no', '=', p.orderNo)
    .where('sequence', '>', p.after)
    .orderBy('sequence')
    .limit(p.limit),
);

/** The events of an order in their sequence, those after the number `after`, at most `limit`. */
export function eventsOfOrder(store: Store, orderNo: string, after: number, limit: number): Promise<EventRow[]> {
  return store.read(ofOrder, {orderNo, after, limit});
}

const byId = prepare((db, p: Params<{eventId: string}>) =>
  db.selectFrom('events').selectAll().where('event_id', '=', p.eventId),
);

export function findEvent(store: Store, eventId: string): Promise<EventRow | undefined> {
  return store.readFirst(byId, {eventId});
}

const waiting = prepare((db) =>
  db
    .selectFrom('events')
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('created_at').as('oldest')])
    .where('state', '=', 'waiting'),
);
const dead = prepare((db) =>
  db
    .selectFrom('events')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('state', '=', 'dead'),
);

export interface EventCounts {
  readonly waiting: number;
  /** When the oldest of those that wait was made, UTC milliseconds. */
  readonly oldestWaitingAt: number | null;
  readonly dead: number;
}

/** What is not with the merchant. */
export async function countEvents(store: Store): Promise<EventCounts> {
  const [open, ended] = await Promise.all([store.readFirst(waiting), store.readFirst(dead)]);
  return {waiting: open?.count ?? 0, oldestWaitingAt: open?.oldest ?? null, dead: ended?.count ?? 0};
}

const nextDueAfter = prepare((db, p: Params<{now: number}>) =>
  db
    .selectFrom('events')
    .select('next_attempt_at')
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '>', p.now)
    .orderBy('next_attempt_at')
    .limit(1),
);

/** When the next event becomes due after now, UTC milliseconds. */
export async function nextDue(store: Store, now: number): Promise<number | undefined> {
  return (await store.readFirst(nextDueAfter, {now}))?.next_attempt_at;
}
