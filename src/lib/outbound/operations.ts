import {type CommandRow, defineOperation, type Params, prepare} from '../store/index.js';
import {claimCommand, closeCommand, insertCommand, type Lease, type NewCommand} from './commands.js';
import {dueOfDevice, removeSettled} from './queries.js';

const ATTEMPTS = 3;
const RETRY_MS = 60_000;
/** What was given up and then resolved is kept for a day. */
const KEPT_MS = 24 * 60 * 60 * 1000;
export const NOT_SENT = 'not sent in time';
/** What a device must not begin twice, nor for an order that is over; a stop may always go. */
const STARTS: ReadonlySet<string> = new Set(['coin', 'startCharge']);

export const enqueueCommand = defineOperation('outbound.enqueue', (tx, command: NewCommand) =>
  insertCommand(tx, command),
);

/**
 * Notes an attempt of the command that is next for a device, before anything is written to it: by priority, then by
 * age. Coins are not among them. Undefined when none is due.
 */
export const claimForSending = defineOperation(
  'outbound.claim',
  async (tx, {deviceId, at, owner, until}: {deviceId: string; at: number} & Lease): Promise<CommandRow | undefined> => {
    for (;;) {
      const next = await tx.first(dueOfDevice, {deviceId, at});
      if (next === undefined) return undefined;
      const claimed = await claimCommand(tx, {id: next.id, at, owner, until});
      // Undefined: cancelled, expired or taken at this moment by another. The next one, then.
      if (claimed !== undefined) return claimed;
    }
  },
);

/** The device has answered; with `error`: no. False when it was over already. */
export const commandDone = defineOperation(
  'outbound.done',
  (tx, of: {id: string; error?: string; at: number}): Promise<boolean> => closeCommand(tx, {...of, state: 'done'}),
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
 * is dropped instead. With `final` no other attempt can help: it is a dead letter at once. Only its sender may say so;
 * undefined when the command is not with it any more.
 */
export const commandFailed = defineOperation(
  'outbound.failed',
  async (
    tx,
    {id, owner, error, final, at}: {id: string; owner: string; error: string; final?: boolean; at: number},
  ): Promise<'waiting' | 'expired' | 'dead' | undefined> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'sent' || command.lease_owner !== owner) return undefined;
    const notBefore = at + RETRY_MS;
    if (final !== true && command.expires_at !== null && command.expires_at <= notBefore) {
      await closeCommand(tx, {id, state: 'expired', error, at});
      return 'expired';
    }
    if (final === true || command.attempts >= ATTEMPTS) {
      await closeCommand(tx, {id, state: 'dead', error, at});
      return 'dead';
    }
    await tx.run(postpone, {id, error, notBefore, at});
    return 'waiting';
  },
);

const release = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set((eb) => ({
      state: 'waiting',
      attempts: eb('attempts', '-', 1),
      lease_owner: null,
      lease_until: null,
      updated_at: p.at,
    }))
    .where('id', '=', p.id),
);

/**
 * Takes a noted attempt back, of which nothing was written: the command waits as before, or has expired meanwhile. Only
 * its sender may; undefined when the command is not with it any more.
 */
export const handBack = defineOperation(
  'outbound.handBack',
  async (tx, {id, owner, at}: {id: string; owner: string; at: number}): Promise<'waiting' | 'expired' | undefined> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'sent' || command.lease_owner !== owner) return undefined;
    await tx.run(release, {id, at});
    if (command.expires_at === null || command.expires_at > at) return 'waiting';
    await closeCommand(tx, {id, state: 'expired', error: NOT_SENT, at});
    return 'expired';
  },
);

/** Ends a command that waits past its time. One that was sent is not this one's business. */
export const expireCommand = defineOperation(
  'outbound.expire',
  async (tx, {id, at}: {id: string; at: number}): Promise<boolean> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'waiting' || command.expires_at === null || command.expires_at > at) return false;
    return closeCommand(tx, {id, state: 'expired', error: NOT_SENT, at});
  },
);

const requeue = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: 'waiting', not_before: p.at, lease_owner: null, lease_until: null, updated_at: p.at})
    .where('id', '=', p.id),
);

export interface TakenOver {
  readonly state: 'waiting' | 'expired' | 'dead';
  readonly error: string;
  /** As it was before. */
  readonly command: CommandRow;
}

/**
 * Takes over a command whose sender has let its lease lapse. It may have been written, so what begins something is not
 * sent again: it has expired, or is given up. Anything else waits again, up to three attempts in all. Undefined when
 * another was faster; coins are not its business.
 */
export const takeOverCommand = defineOperation(
  'outbound.takeOver',
  async (tx, {id, at}: {id: string; at: number}): Promise<TakenOver | undefined> => {
    const command = await tx.first(lockedCommand, {id});
    if (command?.state !== 'sent' || command.kind === 'coin') return undefined;
    if (command.lease_until === null || command.lease_until >= at) return undefined;
    const state = afterLapse(command, at);
    const error = 'its sender went away: it may have been written';
    if (state === 'waiting') await tx.run(requeue, {id, at});
    else await closeCommand(tx, {id, state, error, at});
    return {state, error, command};
  },
);

function afterLapse(command: CommandRow, at: number): TakenOver['state'] {
  if (command.expires_at !== null && command.expires_at <= at) return 'expired';
  return STARTS.has(command.kind) || command.attempts >= ATTEMPTS ? 'dead' : 'waiting';
}

const revive = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: 'waiting', attempts: 0, not_before: p.at, expires_at: null, updated_at: p.at})
    .where('id', '=', p.id),
);

const isOpenOrder = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').select('order_no').where('order_no', '=', p.orderNo).where('due_at', 'is not', null),
);

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

/** Removes commands that ended or were settled more than 24 hours ago; a dead letter never ages out. Answers how many. */
export const cleanCommands = defineOperation(
  'outbound.clean',
  (tx, {at, limit}: {at: number; limit: number}): Promise<number> =>
    tx.run(removeSettled, {before: at - KEPT_MS, limit}),
);
