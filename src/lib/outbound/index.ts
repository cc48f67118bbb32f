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
} from './commands.js';
export {
  claimForSending,
  cleanCommands,
  commandDone,
  commandFailed,
  dismissDead,
  enqueueCommand,
  expireCommand,
  retryDead,
  takeOverCommand,
} from './operations.js';
export {
  commandById,
  commandsOfOrder,
  deadListing,
  dueCommands,
  lapsedCommands,
  waitingOfDevice,
} from './queries.js';

/** What a store must load for these operations. */
export const OUTBOUND_OPERATIONS = new URL('./operations.js', import.meta.url);
