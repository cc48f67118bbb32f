import {first} from './0001-first.js';
import type {Migration} from './migration.js';

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [first];

export {type Migration, migrationSql} from './migration.js';
