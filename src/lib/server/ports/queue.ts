import type {DeadLetterInfo, QueuePort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import {cleanCommands, deadListing, dismissDead, retryDead} from '../../outbound/index.js';
import type {CommandRow, Store} from '../../store/index.js';
import {rangeOf} from './page.js';

export interface QueuePortOptions {
  store: Store;
  /** A command waits again. */
  wake(): void;
  now: () => number;
}

/** Removed in one transaction: others write in between. */
const PART = 500;

/** Commands that were given up, as the HTTP interface has them. */
export function queuePort({store, wake, now}: QueuePortOptions): QueuePort {
  return {
    async dead({deviceId, ...page}) {
      const filter = {deviceId};
      const [rows, total] = await Promise.all([
        deadListing.page(store, filter, rangeOf(page)),
        deadListing.count(store, filter),
      ]);
      return {items: rows.map(commandInfo), total};
    },
    async retry(id) {
      const result = await store.run(retryDead, {id, at: now()});
      if (result === 'unknown') throw unknown(id);
      if (result === 'order over') {
        throw new PaynetError('ORDER_FINISHED', `the order of command ${id} is over: it is not begun again`);
      }
      wake();
    },
    async dismiss(id) {
      if (!(await store.run(dismissDead, {id, at: now()}))) throw unknown(id);
    },
    async clean() {
      for (let removed = 0; ; ) {
        const part = await store.run(cleanCommands, {at: now(), limit: PART});
        removed += part;
        if (part < PART) return removed;
      }
    },
  };
}

function commandInfo(row: CommandRow): DeadLetterInfo {
  return {
    id: row.id,
    deviceId: row.device_id,
    orderNo: row.order_no,
    kind: row.kind,
    status: row.state,
    attempts: row.attempts,
    lastError: row.last_error,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

const unknown = (id: string): PaynetError => new PaynetError('COMMAND_NOT_FOUND', `there is no dead letter ${id}`);
