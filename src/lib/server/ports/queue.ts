import type {CommandInfo, QueuePort} from '../../api/index.js';
import {PaynetError} from '../../errors.js';
import {type Dispatcher, deadListing, openListing} from '../../outbound/index.js';
import type {CommandRow, Store} from '../../store/index.js';
import {rangeOf} from './page.js';

export interface QueuePortOptions {
  store: Store;
  dispatcher(): Pick<Dispatcher, 'retry' | 'dismiss' | 'clean'> | undefined;
}

/** Commands that were given up, as the HTTP interface has them. */
export function queuePort({store, dispatcher}: QueuePortOptions): QueuePort {
  function running(): NonNullable<ReturnType<QueuePortOptions['dispatcher']>> {
    const found = dispatcher();
    if (found === undefined) throw new PaynetError('UNAVAILABLE', 'the queue is not running yet');
    return found;
  }

  return {
    async waiting({deviceId, ...page}) {
      const filter = {deviceId};
      const [rows, total] = await Promise.all([
        openListing.page(store, filter, rangeOf(page)),
        openListing.count(store, filter),
      ]);
      const items = rows.map((row) => ({...commandInfo(row), priority: row.priority, expiresAt: row.expires_at}));
      return {items, total};
    },
    async dead({deviceId, ...page}) {
      const filter = {deviceId};
      const [rows, total] = await Promise.all([
        deadListing.page(store, filter, rangeOf(page)),
        deadListing.count(store, filter),
      ]);
      return {items: rows.map(commandInfo), total};
    },
    async retry(id) {
      const result = await running().retry(id);
      if (result === 'unknown') throw unknown(id);
      if (result === 'order over') {
        throw new PaynetError('ORDER_FINISHED', `the order of command ${id} is over: it is not begun again`);
      }
    },
    async dismiss(id) {
      if (!(await running().dismiss(id))) throw unknown(id);
    },
    clean: () => running().clean(),
  };
}

function commandInfo(row: CommandRow): CommandInfo {
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
