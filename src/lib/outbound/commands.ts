import {type CommandRow, type CommandState, type Params, prepare, type Tx} from '../store/index.js';

/** A command to be stored; times are UTC milliseconds. */
export interface NewCommand {
  readonly id: string;
  readonly deviceId: string;
  readonly orderNo: string | null;
  readonly kind: string;
  readonly payload: object;
  /** 0 (first) to 9. */
  readonly priority: number;
  /** From then on it is not written any more; null when it stays useful. */
  readonly expiresAt: number | null;
  readonly at: number;
}

/** Who may send a command, and until when. */
export interface Lease {
  readonly owner: string;
  readonly until: number;
}

interface NewRow {
  id: string;
  deviceId: string;
  orderNo: string | null;
  kind: string;
  payload: string;
  priority: number;
  expiresAt: number | null;
  at: number;
}

const insertWaiting = prepare((db, p: Params<NewRow>) =>
  db.insertInto('commands').values({
    id: p.id,
    device_id: p.deviceId,
    order_no: p.orderNo,
    kind: p.kind,
    payload: p.payload,
    priority: p.priority,
    state: 'waiting',
    // At once, whatever the clock is set to meanwhile.
    not_before: 0,
    expires_at: p.expiresAt,
    created_at: p.at,
    updated_at: p.at,
  }),
);

const insertSent = prepare((db, p: Params<NewRow & Lease>) =>
  db.insertInto('commands').values({
    id: p.id,
    device_id: p.deviceId,
    order_no: p.orderNo,
    kind: p.kind,
    payload: p.payload,
    priority: p.priority,
    state: 'sent',
    attempts: 1,
    not_before: p.at,
    expires_at: p.expiresAt,
    lease_owner: p.owner,
    lease_until: p.until,
    created_at: p.at,
    updated_at: p.at,
  }),
);

/** Stores a command, in the operation that causes it: waiting, or with its first attempt noted already. */
export async function insertCommand(tx: Tx, command: NewCommand, lease?: Lease): Promise<void> {
  const row = {...command, payload: JSON.stringify(command.payload)};
  if (lease === undefined) await tx.run(insertWaiting, row);
  else await tx.run(insertSent, {...row, ...lease});
}

const next = prepare((db, p: Params<{deviceId: string; kind: string; at: number}>) =>
  db
    .selectFrom('commands')
    .selectAll()
    .where('state', '=', 'waiting')
    .where('device_id', '=', p.deviceId)
    .where('kind', '=', p.kind)
    .where('not_before', '<=', p.at)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', p.at)]))
    .orderBy('priority')
    .orderBy('created_at')
    .limit(1),
);

/** The command of a kind that is to go to a device next; undefined when none is due. */
export function nextCommand(tx: Tx, of: {deviceId: string; kind: string; at: number}): Promise<CommandRow | undefined> {
  return tx.first(next, of);
}

const claim = prepare((db, p: Params<{id: string; at: number} & Lease>) =>
  db
    .updateTable('commands')
    .set((eb) => ({
      state: 'sent',
      attempts: eb('attempts', '+', 1),
      lease_owner: p.owner,
      lease_until: p.until,
      updated_at: p.at,
    }))
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .where('not_before', '<=', p.at)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', p.at)]))
    .returningAll(),
);

/**
 * Notes an attempt, before anything is written to the device. Undefined when the command does not wait any more
 * (cancelled, taken by another), is not due, or has expired: then it must not be written.
 */
export function claimCommand(tx: Tx, of: {id: string; at: number} & Lease): Promise<CommandRow | undefined> {
  return tx.first(claim, of);
}

const again = prepare((db, p: Params<{id: string; attempts: number; at: number} & Lease>) =>
  db
    .updateTable('commands')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      lease_owner: p.owner,
      lease_until: p.until,
      updated_at: p.at,
    }))
    .where('id', '=', p.id)
    .where('state', '=', 'sent')
    .where('attempts', '<', p.attempts),
);

/** Notes one more attempt of a command that was sent, after the device was asked; false with `attempts` made already. */
export async function repeatCommand(tx: Tx, of: {id: string; attempts: number; at: number} & Lease): Promise<boolean> {
  return (await tx.run(again, of)) === 1;
}

const close = prepare((db, p: Params<{id: string; state: CommandState; error: string | null; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: p.state, last_error: p.error, lease_owner: null, lease_until: null, updated_at: p.at})
    .where('id', '=', p.id)
    .where('state', 'in', ['waiting', 'sent']),
);

/** Ends a command that waits or was sent; false when it has ended already. */
export async function closeCommand(
  tx: Tx,
  of: {id: string; state: 'done' | 'dead' | 'expired' | 'cancelled'; error?: string; at: number},
): Promise<boolean> {
  return (await tx.run(close, {...of, error: of.error ?? null})) === 1;
}

const withdraw = prepare((db, p: Params<{id: string; at: number}>) =>
  db
    .updateTable('commands')
    .set({state: 'cancelled', updated_at: p.at})
    .where('id', '=', p.id)
    .where('state', '=', 'waiting')
    .where('attempts', '=', 0),
);

/**
 * Cancels a command of which nothing was ever sent; false when an attempt is noted, or it is over. Either this or the
 * sending wins.
 */
export async function withdrawCommand(tx: Tx, of: {id: string; at: number}): Promise<boolean> {
  return (await tx.run(withdraw, of)) === 1;
}
