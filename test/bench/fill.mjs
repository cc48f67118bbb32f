// Fills the product's database with orders that are over, in big transactions: as its own operations leave them.
import Database from 'better-sqlite3';
import {deviceName} from './devices.mjs';

const PART = 20_000;
const DAY_MS = 86_400_000;
const EVENTS = ['order.created', 'order.confirmed', 'order.completed'];

export const filledOrder = (number) => `f${String(number).padStart(9, '0')}`;

/** Each order with its command and its three events, which were posted; spread over a month. */
export function fill(path, {orders, devices}) {
  const db = new Database(path, {fileMustExist: true});
  db.pragma('synchronous = OFF');
  const order = db.prepare(`INSERT INTO orders (order_no, kind, device_id, state, body_hash, coins, timeout_s, progress,
    end_reason, attempts, sequence, sent_at, started_at, ended_at, created_at, updated_at)
    VALUES (@no, 'coin', @device, 'done', @hash, 3, 60, 100, 'device', 1, 3, @at, @at, @at, @at, @at)`);
  const command = db.prepare(`INSERT INTO commands (id, device_id, order_no, kind, payload, priority, state, attempts,
    not_before, expires_at, created_at, updated_at)
    VALUES (@id, @device, @no, 'coin', '{"coins":3,"timeoutSeconds":60}', 5, 'done', 1, @at, @at, @at, @at)`);
  const event = db.prepare(`INSERT INTO events (event_id, order_no, sequence, type, device_id, data, state, attempts,
    next_attempt_at, created_at, pushed_at) VALUES (@id, @no, @sequence, @type, @device, @data, 'pushed', 1, @at, @at, @at)`);
  const from = Date.now() - 30 * DAY_MS;
  const part = db.transaction((first, end) => {
    for (let number = first; number < end; number++) {
      const no = filledOrder(number);
      const at = from + Math.floor((number / orders) * 29 * DAY_MS);
      const row = {no, device: deviceName(number % devices), at, hash: no.padEnd(64, '0')};
      order.run(row);
      command.run({...row, id: `coin:${no}`});
      const data = JSON.stringify({order_no: no, coins: 3, old_status: 'running', new_status: 'done', progress: 100});
      for (const [index, type] of EVENTS.entries()) {
        event.run({...row, id: `${no}:${index + 1}`, sequence: index + 1, type, data});
      }
    }
  });
  for (let first = 0; first < orders; first += PART) part(first, Math.min(orders, first + PART));
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
}
