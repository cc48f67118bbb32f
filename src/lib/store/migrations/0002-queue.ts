import {type Compilable, type CreateIndexBuilder, type Kysely, sql} from 'kysely';
import type {Migration} from './migration.js';

/** In these a command is over; a dead letter is not, before a person has settled it. */
const SETTLED = ['done', 'expired', 'cancelled', 'dismissed'];

/** What the queue of commands is asked for, now that coins go their own way. */
export const queue: Migration = {
  version: 2,
  name: 'queue',
  statements: (db) => [
    // Kept coins would stand in the way of all others: those for which nobody is there are always due.
    db.schema.dropIndex('commands_due'),
    others(db, 'due', ['not_before', 'id'], 'waiting'),
    others(db, 'expiring', ['expires_at'], 'waiting').where(sql.ref('expires_at'), 'is not', null),
    db.schema.dropIndex('commands_leased'),
    others(db, 'leased', ['lease_until'], 'sent'),
    ...open(db),
    commands(db, 'settled', ['updated_at']).where(sql.ref('state'), 'in', SETTLED),
    db.schema
      .createIndex('orders_open_device')
      .on('orders')
      .columns(['device_id', 'created_at', 'order_no'])
      .where(sql.ref('due_at'), 'is not', null),
  ],
};

/** The lists of what is not over, the latest first. */
function open(db: Kysely<unknown>): Compilable[] {
  const isOpen = ['waiting', 'sent'];
  return [
    commands(db, 'open', ['created_at desc', 'id desc']).where(sql.ref('state'), 'in', isOpen),
    commands(db, 'open_device', ['device_id', 'created_at desc', 'id desc']).where(sql.ref('state'), 'in', isOpen),
  ];
}

/** Over all commands but coins, in one state. */
function others(db: Kysely<unknown>, name: string, columns: string[], state: string) {
  return commands(db, name, columns).where(sql.ref('state'), '=', state).where(sql.ref('kind'), '!=', 'coin');
}

function commands(db: Kysely<unknown>, name: string, columns: string[]): CreateIndexBuilder<never> {
  return db.schema.createIndex(`commands_${name}`).on('commands').columns(columns) as CreateIndexBuilder<never>;
}
