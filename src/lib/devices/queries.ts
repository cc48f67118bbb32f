import {type Params, prepare} from '../store/index.js';

export const deviceById = prepare((db, p: Params<{deviceId: string}>) =>
  db.selectFrom('devices').selectAll().where('device_id', '=', p.deviceId),
);

/** Those that were seen last, first. */
export const devicesPage = prepare((db, p: Params<{limit: number; offset: number}>) =>
  db
    .selectFrom('devices')
    .selectAll()
    .orderBy('last_seen_at', 'desc')
    .orderBy('device_id', 'desc')
    .limit(p.limit)
    .offset(p.offset),
);

/** Those that are away longest, first, from behind a device on. */
export const devicesAwayLongest = prepare((db, p: Params<{afterAt: number; afterId: string; limit: number}>) =>
  db
    .selectFrom('devices')
    .selectAll()
    .where((eb) => eb(eb.refTuple('last_seen_at', 'device_id'), '>', eb.tuple(p.afterAt, p.afterId)))
    .orderBy('last_seen_at')
    .orderBy('device_id')
    .limit(p.limit),
);

/** How many `devicesByIds` takes. */
export const IDS = 50;

const names = Array.from({length: IDS}, (_, index) => `id${index}`);

/** Devices by their ids, in no order. */
export const devicesByIds = prepare((db, p: Params<Record<string, string>>) =>
  db
    .selectFrom('devices')
    .selectAll()
    .where(
      'device_id',
      'in',
      names.map((name) => p[name] as string),
    ),
);

/** The parameters of `devicesByIds` for 1 to `IDS` ids. */
export function byIds(ids: readonly string[]): Record<string, string> {
  // A query has a fixed number of parameters: the last id fills what is left.
  const last = ids.at(-1) as string;
  return Object.fromEntries(names.map((name, index) => [name, ids[index] ?? last]));
}

export const countDevices = prepare((db) =>
  db.selectFrom('devices').select((eb) => eb.fn.countAll<number>().as('count')),
);
