/** Commands to devices: a durable queue in the database, its admission, retries and dead letters. */
export {admits, PRIORITY} from './admission.js';
export {
  claimCommand,
  closeCommand,
  insertCommand,
  type Lease,
  type NewCommand,
  nextCommand,
  repeatCommand,
  withdrawCommand,
} from './commands.js';
export {startDispatcher} from './dispatcher.js';
export {deadListing, openListing} from './listing.js';
export {
  claimForSending,
  cleanCommands,
  commandDone,
  commandFailed,
  dismissDead,
  enqueueCommand,
  expireCommand,
  handBack,
  retryDead,
  type TakenOver,
  takeOverCommand,
} from './operations.js';
export type {CommandOutcome, Dispatcher, DispatcherOptions, OutboundCounters, OutboundPort} from './port.js';
export {
  commandById,
  commandsOfOrder,
  dueCommands,
  expiredCommands,
  lapsedCommands,
  waitingOfDevice,
} from './queries.js';
export type {OutboundCommand} from './record.js';

/** What a store must load for these operations. */
export const OUTBOUND_OPERATIONS = new URL('./operations.js', import.meta.url);
