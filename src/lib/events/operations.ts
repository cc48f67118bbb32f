import {defineOperation, type EventRow, type Params, prepare, type Tx} from '../store/index.js';

/** What is needed to send an event. */
export type ClaimedEvent = Pick<
  EventRow,
  'id' | 'event_id' | 'order_no' | 'sequence' | 'type' | 'device_id' | 'data' | 'attempts' | 'created_at'
>;

// Of an order only the earliest that still waits: the later ones wait for it. What another node is claiming at this
// moment is passed over.
export const dueEvents = prepare((db, p: Params<{now: number; limit: number}>) =>
  db
    .selectFrom('events as e')
    .select(['id', 'event_id', 'order_no', 'sequence', 'type', 'device_id', 'data', 'attempts', 'created_at'])
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '<=', p.now)
    .where((eb) =>
      eb.or([
        eb('order_no', 'is', null),
        eb.not(
          eb.exists(
            eb
              .selectFrom('events as earlier')
              .select('earlier.id')
              .whereRef('earlier.order_no', '=', 'e.order_no')
              .whereRef('earlier.sequence', '<', 'e.sequence')
              .where('earlier.state', '=', 'waiting'),
          ),
        ),
      ]),
    )
    .orderBy('next_attempt_at')
    .limit(p.limit)
    .forUpdate()
    .skipLocked(),
);

const setDue = prepare((db, p: Params<{id: number; at: number}>) =>
  db.updateTable('events').set({next_attempt_at: p.at}).where('id', '=', p.id).where('state', '=', 'waiting'),
);

/**
 * Takes events that are due, of every order at most one. They are due again at `leaseUntil` unless something is said
 * of them before: so what a killed process had taken is sent again.
 */
export const claimEvents = defineOperation(
  'events.claim',
  async (tx, {now, limit, leaseUntil}: {now: number; limit: number; leaseUntil: number}): Promise<ClaimedEvent[]> => {
    const events = await tx.all(dueEvents, {now, limit});
    for (const {id} of events) await tx.run(setDue, {id, at: leaseUntil});
    return events;
  },
);

const unlease = prepare((db, p: Params<{id: number; leaseUntil: number; at: number}>) =>
  db
    .updateTable('events')
    .set({next_attempt_at: p.at})
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '=', p.leaseUntil),
);

/** Gives back what was claimed and not sent. */
export const releaseEvents = defineOperation(
  'events.release',
  async (tx, {ids, leaseUntil, at}: {ids: readonly number[]; leaseUntil: number; at: number}): Promise<void> => {
    for (const id of ids) await tx.run(unlease, {id, leaseUntil, at});
  },
);

const setPushed = prepare((db, p: Params<{id: number; at: number}>) =>
  db
    .updateTable('events')
    .set((eb) => ({state: 'pushed', pushed_at: p.at, attempts: eb('attempts', '+', 1), error: null}))
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .returning(['order_no', 'sequence', 'attempts']),
);

const setFailed = prepare((db, p: Params<{id: number; at: number; error: string}>) =>
  db
    .updateTable('events')
    .set((eb) => ({next_attempt_at: p.at, attempts: eb('attempts', '+', 1), error: p.error}))
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .returning(['order_no', 'sequence', 'attempts']),
);

const setDead = prepare((db, p: Params<{id: number; error: string}>) =>
  db
    .updateTable('events')
    .set((eb) => ({state: 'dead', attempts: eb('attempts', '+', 1), error: p.error}))
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .returning(['order_no', 'sequence', 'attempts']),
);

const parkLater = prepare((db, p: Params<{orderNo: string; sequence: number; at: number}>) =>
  db
    .updateTable('events')
    .set({next_attempt_at: p.at})
    .where('order_no', '=', p.orderNo)
    .where('sequence', '>', p.sequence)
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '<', p.at),
);

const unparkLater = prepare((db, p: Params<{orderNo: string; sequence: number; at: number}>) =>
  db
    .updateTable('events')
    .set({next_attempt_at: p.at})
    .where('order_no', '=', p.orderNo)
    .where('sequence', '>', p.sequence)
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '>', p.at),
);

interface Noted {
  order_no: string | null;
  sequence: number | null;
}

/** The later events of an order become due no earlier than the one they wait for: a claim need not look at them. */
async function park(tx: Tx, noted: Noted | undefined, at: number): Promise<void> {
  if (noted?.order_no == null || noted.sequence === null) return;
  await tx.run(parkLater, {orderNo: noted.order_no, sequence: noted.sequence, at});
}

async function unpark(tx: Tx, noted: Noted | undefined, at: number): Promise<void> {
  if (noted?.order_no == null || noted.sequence === null) return;
  await tx.run(unparkLater, {orderNo: noted.order_no, sequence: noted.sequence, at});
}

/** The endpoint has it. */
export const eventPushed = defineOperation(
  'events.pushed',
  async (tx, {id, at}: {id: number; at: number}): Promise<void> => {
    await unpark(tx, await tx.first(setPushed, {id, at}), at);
  },
);

/** The endpoint does not have it; it is due again at `nextAttemptAt`. */
export const eventFailed = defineOperation(
  'events.failed',
  async (tx, {id, nextAttemptAt, error}: {id: number; nextAttemptAt: number; error: string}): Promise<void> => {
    await park(tx, await tx.first(setFailed, {id, at: nextAttemptAt, error}), nextAttemptAt);
  },
);

/** It is not sent any more unless it is replayed; the events behind it go on. */
export const eventDead = defineOperation(
  'events.dead',
  async (tx, {id, at, error}: {id: number; at: number; error: string}): Promise<void> => {
    await unpark(tx, await tx.first(setDead, {id, error}), at);
  },
);

const waitingAfter = prepare((db, p: Params<{after: number; limit: number}>) =>
  db
    .selectFrom('events')
    .select('id')
    .where('state', '=', 'waiting')
    .where('next_attempt_at', '>', p.after)
    .orderBy('next_attempt_at')
    .limit(p.limit)
    .forUpdate()
    .skipLocked(),
);

/**
 * Makes events due now that would be due only after `after` (so that a lease that ends before stays one), at most
 * `limit`. Answers how many.
 */
export const hastenEvents = defineOperation(
  'events.hasten',
  async (tx, {now, after, limit}: {now: number; after: number; limit: number}): Promise<number> => {
    const events = await tx.all(waitingAfter, {after, limit});
    for (const {id} of events) await tx.run(setDue, {id, at: now});
    return events.length;
  },
);
