import {setTimeout as sleep} from 'node:timers/promises';
import type {ConfigInput} from '../config/index.js';
import {type ClientExtras, dispense, fileLedger, PaynetClient} from '../device/index.js';

export interface VirtualDeviceOptions {
  /** What the device's configuration file would hold. */
  config: ConfigInput;
  /** The file in which executed orders are remembered; in memory unless given. */
  ledgerFile?: string | undefined;
  /** How long one coin takes to drop. */
  coinMs: number;
  extras?: Omit<ClientExtras, 'ledger' | 'status'>;
}

export interface VirtualDevice {
  readonly client: PaynetClient;
  /** Ends the connection and closes the ledger. */
  stop(): Promise<void>;
}

/** The signal strength that a simulated modem reports. */
const SIGNAL_DBM = -71;

/**
 * A payment box without the box: the real client over real TLS, with a coin mechanism that drops one coin after
 * another and a ledger on disk. Rejects with LEDGER_UNREADABLE and CONFIG_INVALID.
 */
export async function createVirtualDevice(options: VirtualDeviceOptions): Promise<VirtualDevice> {
  const {config, ledgerFile, coinMs} = options;
  const ledger = ledgerFile === undefined ? undefined : await fileLedger(ledgerFile);
  const client = new PaynetClient(config, {
    ...options.extras,
    ...(ledger !== undefined && {ledger}),
    status: () => ({signal: SIGNAL_DBM, ip: '127.0.0.1'}),
  });
  client.subscribe(
    0x04,
    dispense(async (order) => {
      let reported = 0;
      for (let coin = 1; coin <= order.coins; coin++) {
        await sleep(coinMs, undefined, {signal: order.signal}).catch(() => {
          throw order.signal.reason;
        });
        const percent = Math.floor((coin / order.coins) * 100);
        // A large order is not told coin by coin: the data plan is small.
        if (percent - reported >= 10 && percent < 100) {
          reported = percent;
          order.progress(percent);
        }
      }
    }),
  );
  return {
    client,
    async stop() {
      await client.stop();
      await ledger?.close();
    },
  };
}
