import {type CommandRow, defineListing, type Params, prepare} from '../store/index.js';

/** The dead letters, the latest first. */
export const deadListing = defineListing<{deviceId?: string | undefined}, CommandRow>((db, given, p) => {
  const dead = db.selectFrom('commands').selectAll().where('state', '=', 'dead');
  const query = given.deviceId ? dead.where('device_id', '=', p.deviceId) : dead;
  return query.orderBy('updated_at', 'desc');
});

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
