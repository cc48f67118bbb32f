import {type Params, type PortRow, prepare, type Tx} from '../store/index.js';

/** What a port is (iot-middleware.md §5.5). */
export const PORT_STATES = {free: 0, occupied: 1, charging: 2, fault: 3} as const;

export type PortStatus = keyof typeof PORT_STATES;

interface At {
  deviceId: string;
  portNo: number;
  at: number;
}

const insertFree = prepare((db, p: Params<At>) =>
  db
    .insertInto('ports')
    .values({device_id: p.deviceId, port_no: p.portNo, status: PORT_STATES.free, updated_at: p.at})
    .onConflict((conflict) => conflict.columns(['device_id', 'port_no']).doNothing()),
);

const locked = prepare((db, p: Params<{deviceId: string; portNo: number}>) =>
  db.selectFrom('ports').selectAll().where('device_id', '=', p.deviceId).where('port_no', '=', p.portNo).forUpdate(),
);

/** A port, kept from others until the operation ends; a port that was not known is free. */
export async function lockPort(tx: Tx, {deviceId, portNo, at}: At): Promise<PortRow> {
  // What is not there cannot be locked: two first orders of a port would not see each other.
  await tx.run(insertFree, {deviceId, portNo, at});
  return (await tx.first(locked, {deviceId, portNo})) as PortRow;
}

const set = prepare((db, p: Params<At & {status: number}>) =>
  db
    .updateTable('ports')
    .set({status: p.status, updated_at: p.at})
    .where('device_id', '=', p.deviceId)
    .where('port_no', '=', p.portNo)
    .where('status', '<>', p.status)
    .where('status', '<>', PORT_STATES.fault),
);

/** What an order makes of its port. A fault stays until the device says otherwise. */
export async function setPort(tx: Tx, of: At & {status: PortStatus}): Promise<void> {
  await tx.run(set, {...of, status: PORT_STATES[of.status]});
}

const setReported = prepare((db, p: Params<At & {status: number; raw: number | null}>) =>
  db
    .updateTable('ports')
    .set({status: p.status, raw_status: p.raw, updated_at: p.at})
    .where('device_id', '=', p.deviceId)
    .where('port_no', '=', p.portNo),
);

/** What the device says of its port. */
export async function setPortReported(tx: Tx, of: At & {status: number; raw: number | null}): Promise<void> {
  await tx.run(setReported, of);
}

const setFigures = prepare((db, p: Params<At & {watts: number; wattHours: number}>) =>
  db
    .updateTable('ports')
    .set({power_w: p.watts, energy_wh: p.wattHours})
    .where('device_id', '=', p.deviceId)
    .where('port_no', '=', p.portNo),
);

export async function setPortFigures(tx: Tx, of: At & {watts: number; wattHours: number}): Promise<void> {
  await tx.run(setFigures, of);
}
