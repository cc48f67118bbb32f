import {readLedger} from '../../src/lib/device/ledger-text.js';
import {CoinState} from '../../src/lib/registry/index.js';
import {counterFile, ledgerFile} from './box.js';
import {type Execution, readCounter} from './executions.js';
import type {Merchant} from './merchant.js';
import type {Books, Safety} from './reconcile.js';
import type {ChaosSite} from './site.js';

/** Reads what everybody knows. */
export interface BookKeeper {
  safety(): Promise<Safety>;
  /** Asks the server, too. */
  all(): Promise<Books>;
}

export function bookKeeper(site: ChaosSite, merchant: Merchant, deviceIds: readonly string[]): BookKeeper {
  async function safety(): Promise<Safety> {
    return {
      orders: merchant.orders,
      deliveries: [...site.sink.deliveries],
      ...(await readBoxes(site.boxFolder, deviceIds)),
    };
  }

  async function statuses(): Promise<Books['statuses']> {
    const found = new Map<string, string | undefined>();
    const open = [...merchant.orders.keys()];
    const ask = async (): Promise<void> => {
      for (let orderNo = open.pop(); orderNo !== undefined; orderNo = open.pop()) {
        found.set(orderNo, await merchant.status(orderNo));
      }
    };
    await Promise.all(Array.from({length: 8}, ask));
    return found;
  }

  return {
    safety,
    all: async () => ({
      ...(await safety()),
      statuses: await statuses(),
      discrepancies: new Set(await merchant.discrepancies()),
    }),
  };
}

async function readBoxes(folder: string, deviceIds: readonly string[]): Promise<Pick<Books, 'executions' | 'ledgers'>> {
  const executions = new Map<string, Execution>();
  const ledgers = new Map<string, 'done' | 'failed' | 'open'>();
  for (const deviceId of deviceIds) {
    readCounter(counterFile(folder, deviceId), executions);
    for (const {orderId, state} of (await readLedger(ledgerFile(folder, deviceId))).entries.values()) {
      ledgers.set(
        orderId,
        state === CoinState.COIN_DONE ? 'done' : state === CoinState.COIN_FAILED ? 'failed' : 'open',
      );
    }
  }
  return {executions, ledgers};
}
