import {appendDeviceEvent} from '../events/index.js';
import {type DeviceRow, defineOperation, type Params, prepare} from '../store/index.js';

export interface NewDevice {
  readonly deviceId: string;
  readonly protocol: string;
  readonly model: string;
  readonly firmware: string;
  /** UTC milliseconds, as all times here. */
  readonly at: number;
}

// A row without a model is of a device that has logged in and never registered.
const insertDevice = prepare((db, p: Params<NewDevice>) =>
  db
    .insertInto('devices')
    .values({
      device_id: p.deviceId,
      protocol: p.protocol,
      model: p.model,
      firmware: p.firmware,
      registered_at: p.at,
      last_seen_at: p.at,
    })
    .onConflict((conflict) => conflict.column('device_id').doNothing())
    .returningAll(),
);

const lockedDevice = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('devices').selectAll().where('device_id', '=', p.deviceId).forUpdate(),
);

const updateDevice = prepare((db, p: Params<NewDevice & {registeredAt: number; lastSeenAt: number}>) =>
  db
    .updateTable('devices')
    .set({
      protocol: p.protocol,
      model: p.model,
      firmware: p.firmware,
      registered_at: p.registeredAt,
      last_seen_at: p.lastSeenAt,
    })
    .where('device_id', '=', p.deviceId)
    .returningAll(),
);

/**
 * Notes a device with what it says of itself. The first time, which `first` tells, its event is stored with it; later
 * only model, firmware and protocol change.
 */
export const registerDevice = defineOperation(
  'devices.register',
  async (tx, device: NewDevice): Promise<{first: boolean}> => {
    const {deviceId, at} = device;
    let row = await tx.first(insertDevice, device);
    let first = row !== undefined;
    if (row === undefined) {
      const known = (await tx.first(lockedDevice, {deviceId})) as DeviceRow;
      first = known.model === null;
      row = await tx.first(updateDevice, {
        ...device,
        registeredAt: first ? at : known.registered_at,
        lastSeenAt: Math.max(known.last_seen_at, at),
      });
    }
    if (first) {
      const {model, firmware, iccid, imei, port_count, registered_at} = row as DeviceRow;
      await appendDeviceEvent(tx, {
        eventId: `device.registered:${deviceId}`,
        deviceId,
        type: 'device.registered',
        data: {iccid, imei, device_type: model, firmware, port_count, registered_at: seconds(registered_at)},
        at,
      });
    }
    return {first};
  },
);

/** The most that one operation writes: others wait for it. */
export const BATCH = 500;

/** A device was heard. */
export interface Seen {
  readonly deviceId: string;
  readonly protocol: string;
  readonly at: number;
  /** Null where it is not known: what is stored stays. */
  readonly rssi: number | null;
}

const touch = prepare((db, p: Params<Seen>) =>
  db
    .insertInto('devices')
    .values({
      device_id: p.deviceId,
      protocol: p.protocol,
      rssi: p.rssi,
      registered_at: p.at,
      last_seen_at: p.at,
    })
    .onConflict((conflict) =>
      conflict
        .column('device_id')
        .doUpdateSet((eb) => ({
          protocol: eb.ref('excluded.protocol'),
          rssi: eb.fn.coalesce('excluded.rssi', 'devices.rssi'),
          last_seen_at: eb.ref('excluded.last_seen_at'),
        }))
        .whereRef('devices.last_seen_at', '<', 'excluded.last_seen_at'),
    ),
);

/** Notes when devices were last heard, at most `BATCH` of them; never an earlier time than is stored. */
export const touchDevices = defineOperation('devices.touch', async (tx, seen: readonly Seen[]): Promise<void> => {
  requireBatch(seen);
  // In one order everywhere: two nodes that write the same devices must not wait for each other.
  const ordered = [...seen].sort((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
  for (const one of ordered) await tx.run(touch, one);
});

/** A device came or went. */
export interface Presence {
  /** Unique for the connection, over restarts and nodes. */
  readonly connection: string;
  readonly deviceId: string;
  readonly online: boolean;
  readonly reason: string;
  readonly at: number;
  readonly lastSeenAt: number;
}

/** Adds the events of devices that came and went, at most `BATCH` of them; what is told twice is one event. */
export const tellPresence = defineOperation('devices.tell', async (tx, news: readonly Presence[]): Promise<void> => {
  requireBatch(news);
  for (const {connection, deviceId, online, reason, at, lastSeenAt} of news) {
    const type = online ? 'device.online' : 'device.offline';
    await appendDeviceEvent(tx, {
      eventId: `${type}:${deviceId}:${connection}`,
      deviceId,
      type,
      data: {at: seconds(at), reason, last_seen_at: seconds(lastSeenAt)},
      at,
    });
  }
});

const seconds = (at: number): number => Math.floor(at / 1000);

function requireBatch(list: readonly unknown[]): void {
  if (list.length > BATCH) throw new RangeError(`${list.length} in one operation: at most ${BATCH}`);
}
