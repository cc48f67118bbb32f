import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {apiOperations} from '../api/index.js';
import type {Config} from '../config/index.js';
import {DEVICE_OPERATIONS} from '../devices/index.js';
import {EVENT_OPERATIONS} from '../events/index.js';
import {counter, gauge, type Log, type Metrics} from '../observe/index.js';
import {CHARGE_OPERATIONS, ORDER_OPERATIONS} from '../orders/index.js';
import {OUTBOUND_OPERATIONS} from '../outbound/index.js';
import {openStore, type Store} from '../store/index.js';

export interface Storage {
  readonly store: Store;
  /** The folder of a temporary database; undefined when everything lasts. */
  readonly temporary: string | undefined;
  close(): Promise<void>;
}

/** Everything that a server writes. */
const OPERATIONS: readonly URL[] = [
  ORDER_OPERATIONS,
  CHARGE_OPERATIONS,
  OUTBOUND_OPERATIONS,
  DEVICE_OPERATIONS,
  ...EVENT_OPERATIONS,
  apiOperations,
];

/** Lets a store be seen. */
export function watchStore({store}: Storage, metrics: Metrics): void {
  metrics.add([
    counter('paynet_store_operations_total', 'Writes that are stored.', () => store.figures.operations),
    counter(
      'paynet_store_transactions_total',
      'Transactions, each a sync of the disk.',
      () => store.figures.transactions,
    ),
    gauge('paynet_store_ready', '1 while writes can be expected to work.', () => (store.ready ? 1 : 0)),
  ]);
}

/**
 * Opens the storage of a server. Without a path for SQLite it is a temporary one, which lasts as long as the server:
 * for programs and tests; a configuration file always means a path.
 */
export async function openStorage({engine, path, dsn, pool}: Config['store'], log: Log): Promise<Storage> {
  const options = {operations: OPERATIONS, log};
  if (engine === 'postgres' && dsn !== undefined) {
    const store = await openStore({engine, dsn, poolSize: pool}, options);
    return {store, temporary: undefined, close: () => store.close()};
  }
  const temporary = path === undefined ? await mkdtemp(join(tmpdir(), 'paynet-')) : undefined;
  const remove = async (): Promise<void> => {
    if (temporary !== undefined) await rm(temporary, {recursive: true, force: true});
  };
  try {
    const store = await openStore({engine: 'sqlite', path: path ?? join(temporary ?? '', 'paynet.db')}, options);
    return {
      store,
      temporary,
      async close() {
        await store.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
