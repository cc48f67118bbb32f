// A process that stores orders until it is killed: it prints an order's number once its entry is acknowledged.
import {fileLedger} from '../../src/lib/device/file-ledger.js';
import {CoinState} from '../../src/lib/registry/index.js';

const [path = '', prefix = ''] = process.argv.slice(2);
const ledger = await fileLedger(path);
for (let round = 0; ; round++) {
  const put = async (lane: number): Promise<void> => {
    const orderId = `${prefix}-${round}-${lane}`;
    const entry = {orderId, coins: round, state: CoinState.COIN_ACCEPTED, progress: 0, error: ''};
    await ledger.put(entry);
    process.stdout.write(`${orderId} 0\n`);
    await ledger.put({...entry, state: CoinState.COIN_DONE, progress: 100});
    process.stdout.write(`${orderId} 2\n`);
  };
  await Promise.all([0, 1, 2, 3].map(put));
}
