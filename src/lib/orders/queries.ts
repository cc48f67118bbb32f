import {type Params, prepare} from '../store/index.js';

/** The longest that an order can be open: kept for a device for a day, then a day for its execution. */
export const LONGEST_OPEN_MS = 2 * 86_400 * 1000;

export const orderByNo = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo),
);

/** A device's coin orders that have not ended, the oldest first. `since`: `LONGEST_OPEN_MS` ago. */
export const openCoinsOfDevice = prepare((db, p: Params<{deviceId: string; since: number}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('device_id', '=', p.deviceId)
    .where('created_at', '>=', p.since)
    .where('kind', '=', 'coin')
    .where('due_at', 'is not', null)
    .orderBy('created_at')
    .orderBy('order_no'),
);

/**
 * A device's coin orders that were sent and have ended without its word: it may have paid them out. Those of which it
 * has been asked since, or that are known as discrepancies, are left out. `since`: `LONGEST_OPEN_MS` ago.
 */
export const unconfirmedCoinsOfDevice = prepare((db, p: Params<{deviceId: string; since: number; limit: number}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('device_id', '=', p.deviceId)
    .where('created_at', '>=', p.since)
    .where('kind', '=', 'coin')
    .where('end_reason', 'in', ['no_end', 'not_taken'])
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('discrepancies')
            .select('discrepancies.id')
            .whereRef('discrepancies.order_no', '=', 'orders.order_no'),
        ),
      ),
    )
    .orderBy('created_at', 'desc')
    .limit(p.limit),
);

/**
 * A device's orders of either kind that have not ended, the latest 20. The number is a constant: SQLite looks at the
 * value of a LIMIT when it plans, and plans anew (10 µs) for each time that it is bound.
 */
export const openOrdersOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('device_id', '=', p.deviceId)
    .where('due_at', 'is not', null)
    .orderBy('created_at', 'desc')
    .orderBy('order_no', 'desc')
    .limit(20),
);

/** Coin orders whose time is over. */
export const dueCoins = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('due_at', '<=', p.at)
    .where('kind', '=', 'coin')
    .orderBy('due_at')
    .limit(p.limit),
);

export const discrepancyById = prepare((db, p: Params<{id: number}>) =>
  db.selectFrom('discrepancies').selectAll().where('id', '=', p.id),
);

export const discrepanciesOfOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('discrepancies').selectAll().where('order_no', '=', p.orderNo).orderBy('id'),
);
