import {type Params, prepare} from '../store/index.js';

export const commandById = prepare((db, p: Params<{id: string}>) =>
  db.selectFrom('commands').selectAll().where('id', '=', p.id),
);

export const commandsOfOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('commands').selectAll().where('order_no', '=', p.orderNo),
);

/** What waits for a device, in the order in which it goes to it. */
export const waitingOfDevice = prepare((db, p: Params<{deviceId: string; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('device_id', '=', p.deviceId)
    .orderBy('priority')
    .orderBy('created_at')
    .limit(p.limit),
);

// What follows is the dispatcher's; coins have lanes of their own (orders/coin-service.ts).

/** The command that is to go to a device next. */
export const dueOfDevice = prepare((db, p: Params<{deviceId: string; at: number}>) =>
  db
    .selectFrom('commands')
    .select('id')
    .where('state', '=', 'waiting')
    .where('kind', '!=', 'coin')
    .where('device_id', '=', p.deviceId)
    .where('not_before', '<=', p.at)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', p.at)]))
    .orderBy('priority')
    .orderBy('created_at')
    .limit(1),
);

/**
 * Commands that are due for an attempt, over all devices, page by page: those whose devices are not there stay due, and
 * must not hide the others.
 */
export const dueCommands = prepare((db, p: Params<{at: number; afterAt: number; afterId: string; limit: number}>) =>
  db
    .selectFrom('commands')
    .select(['id', 'device_id', 'not_before'])
    .where('state', '=', 'waiting')
    .where('kind', '!=', 'coin')
    .where('not_before', '<=', p.at)
    .where((eb) => eb(eb.refTuple('not_before', 'id'), '>', eb.tuple(p.afterAt, p.afterId)))
    .orderBy('not_before')
    .orderBy('id')
    .limit(p.limit),
);

/** Commands that were being sent when their sender went away. */
export const lapsedCommands = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'sent')
    .where('kind', '!=', 'coin')
    .where('lease_until', '<', p.at)
    .orderBy('lease_until')
    .limit(p.limit),
);

/** Commands that wait past their time. */
export const expiredCommands = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('kind', '!=', 'coin')
    .where('expires_at', '<=', p.at)
    .orderBy('expires_at')
    .limit(p.limit),
);

/** How many commands wait, up to `limit`. */
export const waitingCount = prepare((db, p: Params<{limit: number}>) =>
  db
    .selectFrom(
      db
        .selectFrom('commands')
        .select('id')
        .where('state', '=', 'waiting')
        .where('kind', '!=', 'coin')
        .limit(p.limit)
        .as('some'),
    )
    .select((eb) => eb.fn.countAll<number>().as('count')),
);

/** How many dead letters there are, up to `limit`. */
export const deadCount = prepare((db, p: Params<{limit: number}>) =>
  db
    .selectFrom(db.selectFrom('commands').select('id').where('state', '=', 'dead').limit(p.limit).as('some'))
    .select((eb) => eb.fn.countAll<number>().as('count')),
);

/** Removes commands that ended, or were settled, before a time. */
export const removeSettled = prepare((db, p: Params<{before: number; limit: number}>) =>
  db
    .deleteFrom('commands')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('commands')
        .select('id')
        .where('state', 'in', ['done', 'expired', 'cancelled', 'dismissed'])
        .where('updated_at', '<', p.before)
        .orderBy('updated_at')
        .limit(p.limit),
    ),
);
