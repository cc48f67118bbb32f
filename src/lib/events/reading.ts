import {defineListing, type EventRow, type EventState, type Params, prepare, type Store} from '../store/index.js';

/** Which events; what is not given does not matter. */
export interface EventFilter {
  readonly state?: EventState | undefined;
  readonly type?: string | undefined;
  readonly deviceId?: string | undefined;
  readonly orderNo?: string | undefined;
}

/** Events, the latest first. */
export const eventListing = defineListing<EventFilter, EventRow>((db, given, p) => {
  let query = db.selectFrom('events').selectAll();
  if (given.state) query = query.where('state', '=', p.state);
  if (given.type) query = query.where('type', '=', p.type);
  if (given.deviceId) query = query.where('device_id', '=', p.deviceId);
  if (given.orderNo) query = query.where('order_no', '=', p.orderNo);
  return query.orderBy('id', 'desc');
});

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

/** Where nobody takes events they all wait, and counting millions would hold everybody up. */
const COUNTED = 10_000;

const waiting = prepare((db) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('events')
        .select('created_at')
        .where('state', '=', 'waiting')
        .orderBy('next_attempt_at')
        .limit(COUNTED)
        .as('counted'),
    )
    .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.min('created_at').as('oldest')]),
);
const dead = prepare((db) =>
  db
    .selectFrom((eb) => eb.selectFrom('events').select('id').where('state', '=', 'dead').limit(COUNTED).as('counted'))
    .select((eb) => eb.fn.countAll<number>().as('count')),
);

/** Counting ends at 10,000. */
export interface EventCounts {
  readonly waiting: number;
  /** When the oldest of those that are counted was made, UTC milliseconds. */
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
