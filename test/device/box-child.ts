// A payment box in a process of its own, to be killed: every coin that drops is a line in a file, and every coin waits
// for the word on standard input.
import {appendFileSync} from 'node:fs';
import {createInterface} from 'node:readline';
import {dispense, fileLedger, PaynetClient} from '../../src/lib/device/index.js';

const {config, ledger: ledgerPath, coins} = JSON.parse(process.argv[2] ?? '{}');
const words = createInterface({input: process.stdin})[Symbol.asyncIterator]();
const ledger = await fileLedger(ledgerPath);
const client = new PaynetClient(config, {ledger});
client.subscribe(
  0x04,
  dispense(async (order) => {
    for (let coin = 1; coin <= order.coins; coin++) {
      await words.next();
      appendFileSync(coins, `${order.orderId} ${coin}\n`);
      process.stdout.write(`coin ${coin}\n`);
      order.progress(Math.floor((coin / order.coins) * 100));
    }
  }),
);
client.on('online', () => process.stdout.write('online\n'));
await client.run(undefined, {login: {deviceId: 'device001'}});
