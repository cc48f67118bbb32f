export {type ClientExtras, PaynetClient} from './client.js';
export {type CoinOrder, dispense} from './dispense.js';
export type {ClientEvents} from './events.js';
export {fileLedger} from './file-ledger.js';
export {LEDGER_ENTRIES, type Ledger, type LedgerEntry, memoryLedger} from './ledger.js';
export type {LoginFlow} from './login.js';
export {type ClientRoom, createClientRoom} from './room.js';
