import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {openStore, type Params, prepare, type Query, type StoreTarget, type Value} from '../../src/lib/store/index.js';
import {explain} from './explain.js';
import {startPostgres, type TestPostgres} from './postgres.js';
import {keepingLog, OPERATIONS} from './support.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

/** The questions that are asked all the time, the index that must answer each, and whether that gives the order, too. */
const questions: [string, Query<never, unknown>, Record<string, Value>, string][] = [
  [
    'the latest orders of a device, page by page',
    prepare((db, p: Params<{deviceId: string; before: number}>) =>
      db
        .selectFrom('orders')
        .selectAll()
        .where('device_id', '=', p.deviceId)
        .where('created_at', '<', p.before)
        .orderBy('created_at', 'desc')
        .orderBy('order_no', 'desc')
        .limit(50),
    ),
    {deviceId: 'D1', before: 1},
    'orders_device',
  ],
  [
    'the latest orders',
    prepare((db, p: Params<{before: number}>) =>
      db
        .selectFrom('orders')
        .selectAll()
        .where('created_at', '<', p.before)
        .orderBy('created_at', 'desc')
        .orderBy('order_no', 'desc')
        .limit(50),
    ),
    {before: 1},
    'orders_time',
  ],
  [
    'the orders that are due',
    prepare((db, p: Params<{now: number}>) =>
      db.selectFrom('orders').selectAll().where('due_at', '<=', p.now).orderBy('due_at').limit(100),
    ),
    {now: 1},
    'orders_due',
  ],
  [
    'the orders of a device that are not over',
    prepare((db, p: Params<{deviceId: string}>) =>
      db
        .selectFrom('orders')
        .selectAll()
        .where('device_id', '=', p.deviceId)
        .where('due_at', 'is not', null)
        .orderBy('created_at')
        .orderBy('order_no'),
    ),
    {deviceId: 'D1'},
    'orders_open_device',
  ],
  [
    'the active order of a port',
    prepare((db, p: Params<{deviceId: string; portNo: number}>) =>
      db
        .selectFrom('orders')
        .selectAll()
        .where('kind', '=', 'charge')
        .where('state', 'in', ['pending', 'confirmed', 'charging', 'cancelling', 'stopping', 'interrupted'])
        .where('device_id', '=', p.deviceId)
        .where('port_no', '=', p.portNo),
    ),
    {deviceId: 'D1', portNo: 1},
    'orders_active_port',
  ],
  [
    'the next command of a device',
    prepare((db, p: Params<{deviceId: string}>) =>
      db
        .selectFrom('commands')
        .selectAll()
        .where('state', '=', 'waiting')
        .where('device_id', '=', p.deviceId)
        .orderBy('priority')
        .orderBy('created_at')
        .limit(1)
        .forUpdate(),
    ),
    {deviceId: 'D1'},
    'commands_waiting',
  ],
  [
    'the dead letters',
    prepare((db) =>
      db.selectFrom('commands').selectAll().where('state', '=', 'dead').orderBy('updated_at', 'desc').limit(50),
    ),
    {},
    'commands_dead',
  ],
  [
    'the commands of an order',
    prepare((db, p: Params<{orderNo: string}>) =>
      db.selectFrom('commands').selectAll().where('order_no', '=', p.orderNo),
    ),
    {orderNo: 'A'},
    'commands_order',
  ],
  [
    'the events that are due',
    prepare((db, p: Params<{now: number}>) =>
      db
        .selectFrom('events')
        .selectAll()
        .where('state', '=', 'waiting')
        .where('next_attempt_at', '<=', p.now)
        .orderBy('next_attempt_at')
        .limit(50),
    ),
    {now: 1},
    'events_due',
  ],
  [
    'the events of an order',
    prepare((db, p: Params<{orderNo: string; sequence: number}>) =>
      db
        .selectFrom('events')
        .selectAll()
        .where('order_no', '=', p.orderNo)
        .where('sequence', '<', p.sequence)
        .orderBy('sequence'),
    ),
    {orderNo: 'A', sequence: 1},
    // SQLite names the index of a constraint by its table.
    'events_order_sequence|sqlite_autoindex_events_2',
  ],
  [
    'the events of a device',
    prepare((db, p: Params<{deviceId: string}>) =>
      db.selectFrom('events').selectAll().where('device_id', '=', p.deviceId).orderBy('id', 'desc').limit(50),
    ),
    {deviceId: 'D1'},
    'events_device',
  ],
  [
    'the events that were given up',
    prepare((db) => db.selectFrom('events').selectAll().where('state', '=', 'dead').orderBy('id', 'desc').limit(50)),
    {},
    'events_dead',
  ],
  [
    'the devices that were seen last',
    prepare((db) =>
      db.selectFrom('devices').selectAll().orderBy('last_seen_at', 'desc').orderBy('device_id', 'desc').limit(50),
    ),
    {},
    'devices_last_seen',
  ],
  [
    'the open discrepancies',
    prepare((db) =>
      db.selectFrom('discrepancies').selectAll().where('resolved_at', 'is', null).orderBy('id', 'desc').limit(50),
    ),
    {},
    'discrepancies_open',
  ],
  [
    'the nonces that have expired',
    prepare((db, p: Params<{now: number}>) => db.deleteFrom('nonces').where('expires_at', '<', p.now)),
    {now: 1},
    'nonces_expiry',
  ],
  [
    'the idempotency keys that are old',
    prepare((db, p: Params<{before: number}>) => db.deleteFrom('idempotency_keys').where('created_at', '<', p.before)),
    {before: 1},
    'idempotency_keys_time',
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'paynet-store-'));
afterAll(() => rmSync(folder, {recursive: true, force: true}));

describe.each(['sqlite', 'postgres'] as const)('on %s an index answers, in the right order,', (engine) => {
  let target: StoreTarget;
  beforeAll(async () => {
    target =
      engine === 'sqlite' ? {engine, path: join(folder, 'paynet.db')} : {engine, dsn: await postgres.newDatabase()};
    await (await openStore(target, {operations: [OPERATIONS], log: keepingLog()})).close();
  });

  it.each(questions)('%s', async (_, query, params, index) => {
    const plan = (await explain(target, query, params)).join('\n');
    expect(plan).toMatch(new RegExp(`(USING|using|on) (COVERING )?(INDEX )?(${index})\\b`));
    expect(plan).not.toMatch(/Sort|TEMP B-TREE|Seq Scan/);
  });
});
