import {type CommandRow, defineOperation, type Params, prepare} from '../store/index.js';
import {claimCommand, closeCommand, insertCommand, type Lease, type NewCommand} from './commands.js';

const ATTEMPTS = 3;
const RETRY_MS = 60_000;
/** What was given up and then resolved is kept for a day. */
const KEPT_MS = 24 * 60 * 60 * 1000;

export const enqueueCommand = defineOperation('outbound.enqueue', (tx, command: NewCommand) =>
  insertCommand(tx, command),
);

/** Notes an attempt before anything is written; undefined: it must not be written (see `claimCommand`). */
export const claimForSending = defineOperation('outbound.claim', (tx, args: {id: string; at: number} & Lease) =>
  claimCommand(tx, args),
);

/** The device has taken it. False when it was over already. */
export const commandDone = defineOperation('outbound.done', (tx, {id, at}: {id: string; at: number}) =>
  closeCommand(tx, {id, state: 'done', at}),
);

const lockedCommand = prepare((db, p: Params<{id: string}>) =>
  db.selectFrom('commands').selectAll().where('id', '=', p.id).forUpdate(),
);

const postpone = prepare((db, p: Params<{id: string; error: string; notBefore: number; at: number}>) =>
  db
    .updateTable('commands')
    .set({
      state: 'waiting',
      last_error: p.error,
      not_before: p.notBefore,
      lease_owner: null,
      lease_until: null,
      updated_at: p.at,
    })
    .where('id', '=', p.id),
);

/**
 * An attempt has failed: another in a minute, up to three in all, then the dead letters. What would have expired by then
 * is dropped instead. Only its sender may say so; undefined when the command is not with it any more.
 */
export const commandFailed = defineOperation(
  'outbound.failed',
  async (
    tx,
    {id, owner, error, at}: {id: string; owner: string; error: string; at: number},
  ): Promise<'waiting' | 'expired' | 'dead' | undefined> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'sent' || command.lease_owner !== owner) return undefined;
    const notBefore = at + RETRY_MS;
    if (command.expires_at !== null && command.expires_at <= notBefore) {
      await closeCommand(tx, {id, state: 'expired', error, at});
      return 'expired';
    }
    if (command.attempts >= ATTEMPTS) {
      await closeCommand(tx, {id, state: 'dead', error, at});
      return 'dead';
    }
    await tx.run(postpone, {id, error, notBefore, at});
    return 'waiting';
  },
);

/** Ends a command that waits past its time. One that was sent is not this one's business. */
export const expireCommand = defineOperation(
  'outbound.expire',
  async (tx, {id, at}: {id: string; at: number}): Promise<boolean> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'waiting' || command.expires_at === null || command.expires_at > at) return false;
    return closeCommand(tx, {id, state: 'expired', error: 'not sent in time', at});
  },
);

const takeOver = prepare((db, p: Params<{id: string; at: number} & Lease>) =>
  db
    .updateTable('commands')
    .set({lease_owner: p.owner, lease_until: p.until, updated_at: p.at})
    .where('id', '=', p.id)
    .where('state', '=', 'sent')
    .where('lease_until', '<', p.at)
    .returningAll(),
);

/**
 * Takes over a command whose sender has let its lease lapse. It may have been written: the device is asked before
 * anything is sent again, so no attempt is noted. Undefined when another was faster.
 */
export const takeOverCommand = defineOperation(
  'outbound.takeOver',
  (tx, args: {id: string; at: number} & Lease): Promise<CommandRow | undefined> => tx.first(takeOver, args),
);

const revive = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: 'waiting', attempts: 0, not_before: p.at, expires_at: null, updated_at: p.at})
    .where('id', '=', p.id),
);

const isOpenOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').select('order_no').where('order_no', '=', p.orderNo).where('due_at', 'is not', null),
);

/** What a device must not begin for an order that is over; a stop may always go. */
const STARTS: ReadonlySet<string> = new Set(['coin', 'startCharge']);

/** Takes a dead letter up again. The start of an order that is over never goes out: its money is settled. */
export const retryDead = defineOperation(
  'outbound.retry',
  async (tx, {id, at}: {id: string; at: number}): Promise<'waiting' | 'unknown' | 'order over'> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'dead') return 'unknown';
    const {order_no: orderNo, kind} = command;
    if (orderNo !== null && STARTS.has(kind) && (await tx.first(isOpenOrder, {orderNo})) === undefined)
      return 'order over';
    await tx.run(revive, {id, at});
    return 'waiting';
  },
);

const dismiss = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: 'dismissed', updated_at: p.at})
    .where('id', '=', p.id)
    .where('state', '=', 'dead'),
);

/** A person has settled a dead letter. False when there is none with this id. */
export const dismissDead = defineOperation(
  'outbound.dismiss',
  async (tx, args: {id: string; at: number}): Promise<boolean> => (await tx.run(dismiss, args)) === 1,
);

const clean = prepare((db, p: Params<{before: number; limit: number}>) =>
  db
    .deleteFrom('commands')
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('commands')
        .select('id')
        .where('state', 'in', ['done', 'expired', 'cancelled', 'dismissed'])
        .where('updated_at', '<', p.before)
        .limit(p.limit),
    ),
);

/** Removes commands that ended or were settled more than 24 hours ago; a dead letter never ages out. Answers how many. */
export const cleanCommands = defineOperation(
  'outbound.clean',
  (tx, {at, limit}: {at: number; limit: number}): Promise<number> => tx.run(clean, {before: at - KEPT_MS, limit}),
);
