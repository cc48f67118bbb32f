import {first} from './0001-first.js';
import {queue} from './0002-queue.js';
import type {Migration} from './migration.js';

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [first, queue];

export {type Migration, migrationSql} from './migration.js';
