import {copyFileSync, existsSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import Database from 'better-sqlite3';

/** What is wrong in a database that nobody has open. Looks at a copy: what a crash has left is not touched. */
export function faultsIn(path: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-copy-'));
  const copy = join(folder, 'paynet.db');
  try {
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, copy + end);
    const db = new Database(copy);
    try {
      const found = (db.pragma('integrity_check') as {integrity_check: string}[]).map((row) => row.integrity_check);
      return found.filter((line) => line !== 'ok');
    } finally {
      db.close();
    }
  } finally {
    rmSync(folder, {recursive: true, force: true});
  }
}

/** How many commands and events there are, and what of them is left over when every order has ended. */
export function leftIn(path: string): {commands: number; events: number; left: string[]} {
  const db = new Database(path, {readonly: true});
  try {
    const all = (sql: string): Record<string, string | number>[] => db.prepare(sql).all() as never;
    const number = (table: string): number => Number(all(`SELECT count(*) AS n FROM ${table}`)[0]?.n);
    return {
      commands: number('commands'),
      events: number('events'),
      left: [
        ...all("SELECT id, state FROM commands WHERE state IN ('waiting', 'sent')"),
        // Boxes that go offline with the server are told of by the next one.
        ...all("SELECT event_id AS id, state FROM events WHERE state <> 'pushed' AND order_no IS NOT NULL"),
      ].map(({id, state}) => `${id} is ${state}`),
    };
  } finally {
    db.close();
  }
}
