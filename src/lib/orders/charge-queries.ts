import {type Params, prepare} from '../store/index.js';
import {ACTIVE_CHARGE_STATES} from './charge-state.js';

const ACTIVE = [...ACTIVE_CHARGE_STATES];

/** The order that occupies a port; there is at most one. */
export const activeChargeOfPort = prepare((db, p: Params<{deviceId: string; portNo: number}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('kind', '=', 'charge')
    .where('state', 'in', ACTIVE)
    .where('device_id', '=', p.deviceId)
    .where('port_no', '=', p.portNo),
);

export const activeChargesOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('kind', '=', 'charge')
    .where('state', 'in', ACTIVE)
    .where('device_id', '=', p.deviceId)
    .orderBy('port_no'),
);

/** Charging orders whose time is over. */
export const dueCharges = prepare((db, p: Params<{at: number; limit: number}>) =>
  db
    .selectFrom('orders')
    .selectAll()
    .where('due_at', '<=', p.at)
    .where('kind', '=', 'charge')
    .orderBy('due_at')
    .limit(p.limit),
);

/** Orders that charge, in the order of their limits: a page goes on where the one before has ended. */
export const runningCharges = prepare((db, p: Params<{fromDue: number; limit: number}>) =>
  db
    .selectFrom('orders')
    .select(['order_no', 'device_id', 'due_at'])
    .where('due_at', '>=', p.fromDue)
    .where('kind', '=', 'charge')
    .where('state', '=', 'charging')
    .orderBy('due_at')
    .limit(p.limit),
);

export const portsOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('ports').selectAll().where('device_id', '=', p.deviceId).orderBy('port_no'),
);

export const portByNo = prepare((db, p: Params<{deviceId: string; portNo: number}>) =>
  db.selectFrom('ports').selectAll().where('device_id', '=', p.deviceId).where('port_no', '=', p.portNo),
);
