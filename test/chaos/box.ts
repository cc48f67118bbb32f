import {join} from 'node:path';
import {dispense, fileLedger, PaynetClient} from '../../src/lib/device/index.js';
import {count} from './executions.js';
import {pause} from './waiting.js';

export interface BoxOptions {
  deviceId: string;
  /** Of its ledger and its counter. */
  folder: string;
  addr: string;
  ca: string;
  cert: string;
  key: string;
  coinMs: number;
}

export interface Box {
  readonly deviceId: string;
  readonly client: PaynetClient;
  /** Awaited before the first coin drops. */
  hold: (orderNo: string) => Promise<void> | undefined;
  /** Called when all coins of an order are out, and nobody knows it yet. */
  paid: () => void;
  stop(): Promise<void>;
}

export const counterFile = (folder: string, deviceId: string): string => join(folder, `${deviceId}.counter`);
export const ledgerFile = (folder: string, deviceId: string): string => join(folder, `${deviceId}.ledger`);

/** A payment box: the real client, a ledger on disk, and a counter of the coins that have really dropped. */
export async function openBox(options: BoxOptions): Promise<Box> {
  const {deviceId, folder, addr, ca, cert, key, coinMs} = options;
  const ledger = await fileLedger(ledgerFile(folder, deviceId));
  const counter = counterFile(folder, deviceId);
  const client = new PaynetClient(
    {client: {addr, tls: {ca, cert, key}, reconnect: {base: '20ms', max: '200ms'}, heartbeat_send: '5s'}},
    {ledger},
  );
  const box: Box = {
    deviceId,
    client,
    hold: () => undefined,
    paid: () => {},
    async stop() {
      await client.stop();
      await ledger.close();
    },
  };
  client.subscribe(
    0x04,
    dispense(async (order) => {
      count(counter, 'start', order.orderId);
      await box.hold(order.orderId);
      for (let coin = 1; coin <= order.coins; coin++) {
        await pause(coinMs);
        order.signal.throwIfAborted();
        count(counter, 'coin', order.orderId);
        order.progress((coin / order.coins) * 100);
      }
      count(counter, 'end', order.orderId);
      box.paid();
    }),
  );
  const flow = {register: {deviceSn: deviceId, model: 'box', firmware: '1'}, login: {version: '1'}};
  await client.start(undefined, flow);
  return box;
}
