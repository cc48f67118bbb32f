import {existsSync, statSync} from 'node:fs';
import {setTimeout} from 'node:timers/promises';
import type {Database} from 'better-sqlite3';
import {codeOf, PaynetError} from '../../errors.js';
import {failures} from '../failures.js';
import {migrations} from '../migrations/index.js';
import {openVisitor} from './connection.js';
import {explain, sqliteCode} from './errors.js';
import {takeLock} from './lock.js';
import {requireSchema} from './migrate.js';
import {APPLICATION_ID} from './place.js';

/** A process that has only just taken a database may still be making it, or bringing its schema up to date. */
const VISITS = 10;
const VISIT_AGAIN_MS = 100;
/** Times the busy limit of a connection: a server under load leaves only moments between its commits. */
const BEGIN_ATTEMPTS = 20;
/** After its own transaction a guest leaves the database to the others for so many times as long, and at least so long. */
const PAUSE_FACTOR = 3;
const LEAST_PAUSE_MS = 10;

/**
 * Takes the lock of a database, or, when another process has it, looks whether it can be used with that one.
 * @returns what frees the lock, or 'guest'
 * @throws PaynetError STORE_OLDER, STORE_NEWER, STORE_FOREIGN, STORE_DAMAGED, STORE_BUSY, STORE_PATH
 */
export async function lockOrVisit(place: string): Promise<(() => void) | 'guest'> {
  for (let visit = 1; ; visit += 1) {
    try {
      return takeLock(place);
    } catch (error) {
      if (codeOf(error) !== 'STORE_LOCKED') throw error;
    }
    try {
      visitOnce(place);
      return 'guest';
    } catch (error) {
      if (visit === VISITS || !mayPass(error)) throw error;
    }
    await setTimeout(VISIT_AGAIN_MS);
  }
}

function mayPass(error: unknown): boolean {
  return ['STORE_OLDER', 'STORE_BUSY'].includes(codeOf(error) ?? '');
}

/**
 * Never by way of Node's own functions for files: this may be the process that holds the database, and closing any other
 * descriptor of it would free the locks that SQLite has there.
 */
function visitOnce(place: string): void {
  if (!existsSync(place) || statSync(place).size === 0) throw failures.older(place, 0, migrations.length);
  let db: Database | undefined;
  try {
    db = openVisitor(place);
    if (db.pragma('application_id', {simple: true}) !== APPLICATION_ID) throw failures.foreign(place);
    requireSchema(db, place, migrations);
  } catch (error) {
    throw error instanceof PaynetError ? error : explain(error);
  } finally {
    db?.close();
  }
}

/** How a guest writes: it waits longer than the process that serves, and never keeps that one waiting for long. */
export interface Guest {
  begin(): void;
  /** To be called when what was begun has ended. */
  ended(): void;
  /** Waits until it is the guest's turn again. */
  pause(): Promise<void>;
}

export function asGuest(db: Database, place: string): Guest {
  const begin = db.prepare('BEGIN IMMEDIATE');
  let began = 0;
  let free = 0;

  function beginPatiently(): void {
    for (let attempt = 1; ; attempt += 1) {
      try {
        begin.run();
        return;
      } catch (error) {
        if (attempt === BEGIN_ATTEMPTS || sqliteCode(error)?.startsWith('SQLITE_BUSY') !== true) throw error;
      }
    }
  }

  return {
    begin() {
      beginPatiently();
      began = performance.now();
      try {
        // A newer server may have taken the database over meanwhile.
        requireSchema(db, place, migrations);
      } catch (error) {
        db.exec('ROLLBACK');
        throw error;
      }
    },

    ended() {
      const now = performance.now();
      free = now + Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (now - began));
    },

    async pause() {
      const left = free - performance.now();
      if (left > 0) await setTimeout(left);
    },
  };
}
