// Stores a thousand orders at once, for the number of syncs that this takes.
import {fileLedger} from '../../src/lib/device/file-ledger.js';
import {CoinState} from '../../src/lib/registry/index.js';

const ledger = await fileLedger(process.argv[2] ?? '');
const entry = {coins: 1, state: CoinState.COIN_ACCEPTED, progress: 0, error: ''};
await Promise.all(Array.from({length: 1000}, (_, n) => ledger.put({...entry, orderId: `o-${n}`})));
await ledger.close();
