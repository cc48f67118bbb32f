import {type Params, prepare} from '../store/index.js';

/** The dead letters, the latest first; page by page with `before`, a time. */
export const deadCommands = prepare((db, p: Params<{before: number; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'dead')
    .where('updated_at', '<', p.before)
    .orderBy('updated_at', 'desc')
    .limit(p.limit),
);

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

/** Commands that were being sent when their sender went away: the device is asked before anything is sent again. */
export const lapsedCommands = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'sent')
    .where('lease_until', '<', p.at)
    .orderBy('lease_until')
    .limit(p.limit),
);

/** Commands that are due for an attempt, over all devices. */
export const dueCommands = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('not_before', '<=', p.at)
    .orderBy('not_before')
    .limit(p.limit),
);
