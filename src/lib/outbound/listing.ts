import {type CommandRow, defineListing} from '../store/index.js';

interface OfDevice {
  readonly deviceId?: string | undefined;
}

/** The dead letters, the latest first. */
export const deadListing = defineListing<OfDevice, CommandRow>((db, given, p) => {
  const dead = db.selectFrom('commands').selectAll().where('state', '=', 'dead');
  const query = given.deviceId ? dead.where('device_id', '=', p.deviceId) : dead;
  return query.orderBy('updated_at', 'desc');
});

/** Commands of every kind that wait or were sent, the latest first. */
export const openListing = defineListing<OfDevice, CommandRow>((db, given, p) => {
  const open = db.selectFrom('commands').selectAll().where('state', 'in', ['waiting', 'sent']);
  const query = given.deviceId ? open.where('device_id', '=', p.deviceId) : open;
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc');
});
