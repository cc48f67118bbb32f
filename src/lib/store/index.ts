/** What lasts: tables, queries, named writes in transactions, over SQLite or PostgreSQL. */
export type {Engine} from './compiler.js';
export {defineListing, type Listing} from './listing.js';
export {openStore, type StoreOptions, type StoreTarget} from './open.js';
export {type AnyOperation, defineOperation, type Operation, type Tx} from './operation.js';
export {type Params, type ParamsOf, prepare, type Query, type Statement, type Value} from './query.js';
export type * from './schema.js';
export type {Store, StoreFigures, StoreLog} from './store.js';
