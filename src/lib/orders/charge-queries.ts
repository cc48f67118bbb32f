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

/** Active orders by device and port: a page goes on after the port where the one before has ended. */
export const activeCharges = prepare((db, p: Params<{afterDevice: string; afterPort: number; limit: number}>) =>
  db
    .selectFrom('orders')
    .select(['order_no', 'device_id', 'port_no', 'state'])
    .where('kind', '=', 'charge')
    .where('state', 'in', ACTIVE)
    .where((eb) => eb(eb.refTuple('device_id', 'port_no'), '>', eb.tuple(p.afterDevice, p.afterPort)))
    .orderBy('device_id')
    .orderBy('port_no')
    .limit(p.limit),
);

export const portsOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('ports').selectAll().where('device_id', '=', p.deviceId).orderBy('port_no'),
);

export const portByNo = prepare((db, p: Params<{deviceId: string; portNo: number}>) =>
  db.selectFrom('ports').selectAll().where('device_id', '=', p.deviceId).where('port_no', '=', p.portNo),
);

/** Stops that wait to be sent to a device, for the first time or once more. */
export const waitingStopsOfDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('device_id', '=', p.deviceId)
    .where('kind', '=', 'stopCharge')
    .orderBy('priority')
    .orderBy('created_at'),
);

/** Whether an order has an event of a type. */
export const eventOfType = prepare((db, p: Params<{orderNo: string; type: string}>) =>
  db.selectFrom('events').select('id').where('order_no', '=', p.orderNo).where('type', '=', p.type).limit(1),
);
