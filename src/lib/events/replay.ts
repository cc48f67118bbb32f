import {PaynetError} from '../errors.js';
import {defineOperation, type Params, prepare, type Store} from '../store/index.js';

const again = prepare((db, p: Params<{eventId: string; at: number}>) =>
  db
    .updateTable('events')
    .set({state: 'waiting', attempts: 0, next_attempt_at: p.at, pushed_at: null})
    .where('event_id', '=', p.eventId)
    .where('state', '!=', 'waiting'),
);

/** Has an event sent once more, whether it was pushed or given up. Answers how many: 0 when it waits already or is not. */
export const replayEvent = defineOperation('events.replay', (tx, args: {eventId: string; at: number}) =>
  tx.run(again, args),
);

const known = prepare((db, p: Params<{eventId: string}>) =>
  db.selectFrom('events').select('id').where('event_id', '=', p.eventId),
);

/**
 * Has several events sent once more, all or none; one that waits already stays as it is.
 * @throws PaynetError EVENT_NOT_FOUND
 */
export const replayEvents = defineOperation(
  'events.replayEvents',
  async (tx, {eventIds, at}: {eventIds: readonly string[]; at: number}): Promise<void> => {
    for (const eventId of eventIds) {
      if ((await tx.run(again, {eventId, at})) > 0) continue;
      if ((await tx.first(known, {eventId})) === undefined) {
        throw new PaynetError('EVENT_NOT_FOUND', `there is no event ${eventId}: none was sent again`);
      }
    }
  },
);

const orderAgain = prepare((db, p: Params<{orderNo: string; at: number}>) =>
  db
    .updateTable('events')
    .set({state: 'waiting', attempts: 0, next_attempt_at: p.at, pushed_at: null})
    .where('order_no', '=', p.orderNo)
    .where('state', '!=', 'waiting'),
);

/** Has every event of an order sent once more, in their sequence. Answers how many. */
export const replayOrder = defineOperation('events.replayOrder', (tx, args: {orderNo: string; at: number}) =>
  tx.run(orderAgain, args),
);

const deadEvents = prepare((db, p: Params<{after: number; limit: number}>) =>
  db
    .selectFrom('events')
    .select(['id', 'event_id'])
    .where('state', '=', 'dead')
    .where('id', '>', p.after)
    .orderBy('id')
    .limit(p.limit)
    .forUpdate(),
);

/** A part of `replayDead`: how many, and the row to go on after. */
export const replayDeadPart = defineOperation(
  'events.replayDead',
  async (tx, {at, after, limit}: {at: number; after: number; limit: number}) => {
    const dead = await tx.all(deadEvents, {after, limit});
    for (const {event_id: eventId} of dead) await tx.run(again, {eventId, at});
    return {count: dead.length, last: dead.at(-1)?.id ?? after};
  },
);

/** A part is one transaction: others write in between. */
const PART = 500;

/**
 * Has every event that was given up sent once more, each once: what is given up again meanwhile stays so. Answers how
 * many. `at`: now, UTC milliseconds.
 */
export async function replayDead(store: Store, at: number): Promise<number> {
  let total = 0;
  for (let after = 0; ; ) {
    const {count, last} = await store.run(replayDeadPart, {at, after, limit: PART});
    total += count;
    if (count < PART) return total;
    after = last;
  }
}
