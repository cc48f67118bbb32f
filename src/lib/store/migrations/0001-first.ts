import {type Compilable, type CreateTableBuilder, type Kysely, sql} from 'kysely';
import type {Migration, Words} from './migration.js';

/** The states of a charging order in which it occupies its port. */
const ACTIVE = ['pending', 'confirmed', 'charging', 'cancelling', 'stopping', 'interrupted'];

// There are no foreign keys: orders and events outlive their device, and events their pruned order.
export const first: Migration = {
  version: 1,
  name: 'first',
  statements: (db, words) => [
    ...devices(db, words),
    ...orders(db, words),
    ...commands(db, words),
    ...events(db, words),
    ...access(db, words),
  ],
};

function devices(db: Kysely<unknown>, words: Words): Compilable[] {
  const {integer} = words;
  return [
    table(db, 'devices', words)
      .addColumn('device_id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('protocol', 'text', (c) => c.notNull())
      .addColumn('model', 'text')
      .addColumn('firmware', 'text')
      .addColumn('iccid', 'text')
      .addColumn('imei', 'text')
      .addColumn('port_count', integer)
      .addColumn('rssi', integer)
      .addColumn('registered_at', integer, (c) => c.notNull())
      .addColumn('last_seen_at', integer, (c) => c.notNull()),
    db.schema.createIndex('devices_last_seen').on('devices').columns(['last_seen_at desc', 'device_id desc']),
    table(db, 'ports', words)
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('port_no', integer, (c) => c.notNull())
      .addColumn('status', integer, (c) => c.notNull())
      .addColumn('raw_status', integer)
      .addColumn('power_w', integer)
      .addColumn('biz_no', 'text')
      .addColumn('energy_wh', integer)
      .addColumn('updated_at', integer, (c) => c.notNull())
      .addPrimaryKeyConstraint('ports_pkey', ['device_id', 'port_no']),
  ];
}

function orders(db: Kysely<unknown>, words: Words): Compilable[] {
  const {integer} = words;
  return [
    table(db, 'orders', words)
      .addColumn('order_no', 'text', (c) => c.primaryKey().notNull())
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('port_no', integer)
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('body_hash', 'text', (c) => c.notNull())
      .addColumn('coins', integer)
      .addColumn('timeout_s', integer)
      .addColumn('charge', 'text')
      .addColumn('amount_cent', integer)
      .addColumn('progress', integer, (c) => c.notNull().defaultTo(0))
      .addColumn('error', 'text')
      .addColumn('end_reason', 'text')
      .addColumn('energy_wh', integer)
      .addColumn('duration_s', integer)
      .addColumn('attempts', integer, (c) => c.notNull().defaultTo(0))
      .addColumn('sequence', integer, (c) => c.notNull().defaultTo(0))
      .addColumn('sent_at', integer)
      .addColumn('started_at', integer)
      .addColumn('ended_at', integer)
      .addColumn('due_at', integer)
      .addColumn('created_at', integer, (c) => c.notNull())
      .addColumn('updated_at', integer, (c) => c.notNull()),
    db.schema.createIndex('orders_device').on('orders').columns(['device_id', 'created_at desc', 'order_no desc']),
    db.schema.createIndex('orders_time').on('orders').columns(['created_at desc', 'order_no desc']),
    db.schema.createIndex('orders_due').on('orders').column('due_at').where('due_at', 'is not', null),
    // The last line of defence of the port lock.
    db.schema
      .createIndex('orders_active_port')
      .unique()
      .on('orders')
      .columns(['device_id', 'port_no'])
      .where(sql.ref('kind'), '=', 'charge')
      .where(sql.ref('state'), 'in', ACTIVE),
    table(db, 'discrepancies', words)
      .addColumn('id', sql.raw(words.identity))
      .addColumn('order_no', 'text', (c) => c.notNull())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('order_state', 'text', (c) => c.notNull())
      .addColumn('reported', 'text', (c) => c.notNull())
      .addColumn('created_at', integer, (c) => c.notNull())
      .addColumn('resolved_at', integer)
      .addColumn('resolution', 'text'),
    db.schema.createIndex('discrepancies_order').on('discrepancies').column('order_no'),
    db.schema
      .createIndex('discrepancies_open')
      .on('discrepancies')
      .column('id')
      .where(sql.ref('resolved_at'), 'is', null),
  ];
}

function commands(db: Kysely<unknown>, words: Words): Compilable[] {
  const {integer} = words;
  const index = (name: string, columns: string[], state?: string) => {
    const built = db.schema.createIndex(`commands_${name}`).on('commands').columns(columns);
    return state === undefined ? built : built.where(sql.ref('state'), '=', state);
  };
  return [
    table(db, 'commands', words)
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('order_no', 'text')
      .addColumn('kind', 'text', (c) => c.notNull())
      .addColumn('payload', 'text', (c) => c.notNull())
      .addColumn('priority', integer, (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('attempts', integer, (c) => c.notNull().defaultTo(0))
      .addColumn('not_before', integer, (c) => c.notNull())
      .addColumn('expires_at', integer)
      .addColumn('lease_owner', 'text')
      .addColumn('lease_until', integer)
      .addColumn('last_error', 'text')
      .addColumn('created_at', integer, (c) => c.notNull())
      .addColumn('updated_at', integer, (c) => c.notNull()),
    index('waiting', ['device_id', 'priority', 'created_at'], 'waiting'),
    index('due', ['not_before'], 'waiting'),
    index('leased', ['lease_until'], 'sent'),
    index('dead', ['updated_at'], 'dead'),
    index('order', ['order_no']),
  ];
}

function events(db: Kysely<unknown>, words: Words): Compilable[] {
  const {integer} = words;
  return [
    table(db, 'events', words)
      .addColumn('id', sql.raw(words.identity))
      .addColumn('event_id', 'text', (c) => c.notNull().unique())
      .addColumn('order_no', 'text')
      .addColumn('sequence', integer)
      .addColumn('type', 'text', (c) => c.notNull())
      .addColumn('device_id', 'text', (c) => c.notNull())
      .addColumn('data', 'text', (c) => c.notNull())
      .addColumn('state', 'text', (c) => c.notNull())
      .addColumn('attempts', integer, (c) => c.notNull().defaultTo(0))
      .addColumn('next_attempt_at', integer, (c) => c.notNull())
      .addColumn('created_at', integer, (c) => c.notNull())
      .addColumn('pushed_at', integer)
      .addColumn('error', 'text')
      // Also the index for "an earlier event of this order still waits".
      .addUniqueConstraint('events_order_sequence', ['order_no', 'sequence']),
    db.schema.createIndex('events_due').on('events').column('next_attempt_at').where(sql.ref('state'), '=', 'waiting'),
    db.schema.createIndex('events_dead').on('events').column('id').where(sql.ref('state'), '=', 'dead'),
    db.schema.createIndex('events_device').on('events').columns(['device_id', 'id']),
  ];
}

function access(db: Kysely<unknown>, words: Words): Compilable[] {
  const {integer} = words;
  return [
    table(db, 'api_keys', words)
      .addColumn('id', 'text', (c) => c.primaryKey().notNull())
      .addColumn('name', 'text', (c) => c.notNull())
      .addColumn('secret_hash', 'text', (c) => c.notNull())
      .addColumn('hmac_secret_encrypted', 'text', (c) => c.notNull())
      .addColumn('scopes', 'text', (c) => c.notNull())
      .addColumn('created_at', integer, (c) => c.notNull())
      .addColumn('expires_at', integer)
      .addColumn('last_used_at', integer)
      .addColumn('revoked_at', integer),
    keyTable(db, 'nonces', words)
      .addColumn('key_id', 'text', (c) => c.notNull())
      .addColumn('nonce', 'text', (c) => c.notNull())
      .addColumn('expires_at', integer, (c) => c.notNull())
      .addPrimaryKeyConstraint('nonces_pkey', ['key_id', 'nonce']),
    db.schema.createIndex('nonces_expiry').on('nonces').column('expires_at'),
    table(db, 'idempotency_keys', words)
      .addColumn('key', 'text', (c) => c.primaryKey().notNull())
      .addColumn('body_hash', 'text', (c) => c.notNull())
      .addColumn('status', integer)
      .addColumn('response', 'text')
      .addColumn('created_at', integer, (c) => c.notNull()),
    db.schema.createIndex('idempotency_keys_time').on('idempotency_keys').column('created_at'),
    keyTable(db, 'settings', words)
      .addColumn('name', 'text', (c) => c.primaryKey().notNull())
      .addColumn('value', 'text', (c) => c.notNull()),
  ];
}

function table(db: Kysely<unknown>, name: string, words: Words): CreateTableBuilder<string> {
  return db.schema.createTable(name).modifyEnd(sql.raw(words.tableEnd));
}

function keyTable(db: Kysely<unknown>, name: string, words: Words): CreateTableBuilder<string> {
  return db.schema.createTable(name).modifyEnd(sql.raw(words.keyTableEnd));
}
