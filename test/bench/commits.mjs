// The reference's database, as durable as the product's.
import {setTimeout as wait} from 'node:timers/promises';
import Database from 'better-sqlite3';

export function openDatabase(path) {
  const db = new Database(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(`CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, device TEXT, state TEXT, payload TEXT, at INTEGER);
    CREATE INDEX IF NOT EXISTS orders_device ON orders (device, state)`);
  return db;
}

/** Milliseconds of single inserts, each with a commit and a sync of its own, with a pause between. */
export async function commitOneByOne(path, count, pauseMs) {
  const db = openDatabase(path);
  const insert = db.prepare("INSERT INTO orders (id, device, state, payload, at) VALUES (?, ?, 'sent', ?, ?)");
  const times = [];
  for (let at = 0; at < count; at++) {
    const began = performance.now();
    insert.run(`${began}-${at}`, 'device000000', '{"coins":3,"timeout":60}', Date.now());
    times.push(performance.now() - began);
    await wait(pauseMs);
  }
  db.close();
  return times;
}
