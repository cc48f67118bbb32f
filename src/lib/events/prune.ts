import {defineOperation, type Params, prepare} from '../store/index.js';

/** Times are UTC milliseconds. */
export interface Pruning {
  /** What was pushed before this goes. */
  readonly pushedBefore: number;
  /** What waits and was made before this goes; 0: all that waits stays. */
  readonly waitingBefore: number;
  /** Where the part begins: after this number. 0 at first, then the `after` of the part before. */
  readonly after: number;
  /** How many events are looked at. */
  readonly limit: number;
}

export interface Pruned {
  readonly removed: number;
  /** Where the next part begins; undefined when there is nothing old any more. */
  readonly after: number | undefined;
}

const part = prepare((db, p: Params<{after: number; limit: number}>) =>
  db.selectFrom('events').select(['id', 'created_at']).where('id', '>', p.after).orderBy('id').limit(p.limit),
);

interface Range extends Pick<Pruning, 'pushedBefore' | 'waitingBefore' | 'after'> {
  readonly last: number;
}

export const removeWithin = prepare((db, p: Params<Range>) =>
  db
    .deleteFrom('events')
    .where('id', '>', p.after)
    .where('id', '<=', p.last)
    .where((eb) =>
      eb.or([
        eb.and([eb('state', '=', 'pushed'), eb('pushed_at', '<', p.pushedBefore)]),
        eb.and([eb('state', '=', 'waiting'), eb('created_at', '<', p.waitingBefore)]),
      ]),
    ),
);

/**
 * Removes old events among the next `limit` of them, in the order in which they were made. A dead one stays until
 * somebody has it sent again.
 */
export const pruneEvents = defineOperation(
  'events.prune',
  async (tx, {pushedBefore, waitingBefore, after, limit}: Pruning): Promise<Pruned> => {
    const rows = await tx.all(part, {after, limit});
    const last = rows.at(-1);
    if (last === undefined) return {removed: 0, after: undefined};
    const removed = await tx.run(removeWithin, {pushedBefore, waitingBefore, after, last: last.id});
    // An event is pushed after it was made: what comes behind a young one is not old either.
    const isOld = last.created_at < Math.max(pushedBefore, waitingBefore);
    return {removed, after: rows.length === limit && isOld ? last.id : undefined};
  },
);
