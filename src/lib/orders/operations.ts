import {appendNumbered} from '../events/index.js';
import {
  claimCommand,
  closeCommand,
  insertCommand,
  type Lease,
  nextCommand,
  PRIORITY,
  repeatCommand,
} from '../outbound/index.js';
import {defineOperation, type OrderRow, type Params, prepare, type Tx} from '../store/index.js';
import {type CoinRecord, recordOf} from './coin-record.js';
import type {ReportedState} from './coin-state.js';
import {applyCoin, type CoinResult, commandId, eventOf, lockedOrder, tellOf} from './coin-write.js';
import {orderByNo} from './queries.js';

const ATTEMPTS = 3;

export interface NewCoin {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly coins: number;
  readonly timeoutSeconds: number;
  readonly amountCent: number | null;
  readonly bodyHash: string;
  /** How long its command may wait to be written for the first time. */
  readonly keepMs: number;
  readonly at: number;
  /** Given when the caller writes it to the device as soon as this is stored: the attempt is noted with it. */
  readonly lease?: Lease;
}

interface NewRow {
  orderNo: string;
  deviceId: string;
  coins: number;
  timeoutSeconds: number;
  amountCent: number | null;
  bodyHash: string;
  state: string;
  attempts: number;
  sentAt: number | null;
  dueAt: number;
  at: number;
}

const insertOrder = prepare((db, p: Params<NewRow>) =>
  db
    .insertInto('orders')
    .values({
      order_no: p.orderNo,
      kind: 'coin',
      device_id: p.deviceId,
      state: p.state,
      body_hash: p.bodyHash,
      coins: p.coins,
      timeout_s: p.timeoutSeconds,
      amount_cent: p.amountCent,
      attempts: p.attempts,
      // Of the event that goes with it.
      sequence: 1,
      sent_at: p.sentAt,
      due_at: p.dueAt,
      created_at: p.at,
      updated_at: p.at,
    })
    .onConflict((conflict) => conflict.column('order_no').doNothing()),
);

export interface CoinCreated {
  readonly outcome: 'created' | 'same' | 'conflict';
  readonly order: CoinRecord;
}

/** Order, command and event in one. An order number that is taken changes nothing, whoever has it. */
export const createCoin = defineOperation('orders.createCoin', async (tx, coin: NewCoin): Promise<CoinCreated> => {
  const {orderNo, deviceId, coins, timeoutSeconds, amountCent, bodyHash, keepMs, at, lease} = coin;
  const sent = lease !== undefined;
  const state = sent ? 'sent' : 'created';
  const attempts = sent ? 1 : 0;
  const sentAt = sent ? at : null;
  const dueAt = at + (sent ? timeoutSeconds * 1000 : keepMs);
  const given = {orderNo, deviceId, coins, timeoutSeconds, amountCent, bodyHash, state, attempts, sentAt, dueAt, at};
  if ((await tx.run(insertOrder, given)) === 0) return known(tx, orderNo, bodyHash);
  await insertCommand(
    tx,
    {
      id: commandId(orderNo),
      deviceId,
      orderNo,
      kind: 'coin',
      payload: {coins, timeoutSeconds},
      priority: PRIORITY.normal,
      expiresAt: at + keepMs,
      at,
    },
    lease,
  );
  const order: CoinRecord = {
    orderNo,
    deviceId,
    coins,
    timeoutSeconds,
    state,
    progress: 0,
    error: '',
    endReason: null,
    attempts,
    amountCent,
    createdAt: at,
    sentAt,
    startedAt: null,
    endedAt: null,
    dueAt,
    updatedAt: at,
  };
  await appendNumbered(tx, eventOf('order.created', null, order, at), 1);
  return {outcome: 'created', order};
});

async function known(tx: Tx, orderNo: string, bodyHash: string): Promise<CoinCreated> {
  const row = (await tx.first(orderByNo, {orderNo})) as OrderRow;
  return {outcome: row.kind === 'coin' && row.body_hash === bodyHash ? 'same' : 'conflict', order: recordOf(row)};
}

const noteSent = prepare((db, p: Params<{orderNo: string; attempts: number; dueAt: number; at: number}>) =>
  db
    .updateTable('orders')
    .set({state: 'sent', attempts: p.attempts, sent_at: p.at, due_at: p.dueAt, updated_at: p.at})
    .where('order_no', '=', p.orderNo)
    .returningAll(),
);

/**
 * Notes the attempt to send the order that is next for a device, before it is written; undefined when there is none.
 * From then on the time of its execution runs.
 */
export const claimCoin = defineOperation(
  'orders.claimCoin',
  async (tx, {deviceId, at, owner, until}: {deviceId: string; at: number} & Lease): Promise<CoinRecord | undefined> => {
    for (;;) {
      const command = await nextCommand(tx, {deviceId, kind: 'coin', at});
      if (command?.order_no == null) return undefined;
      // Every operation takes the order first, then its command.
      const row = await lockedOrder(tx, command.order_no);
      if (row?.state !== 'created') {
        await closeCommand(tx, {id: command.id, state: 'cancelled', at});
        continue;
      }
      const claimed = await claimCommand(tx, {id: command.id, at, owner, until});
      // Cancelled or expired at this moment by another: the next one, then.
      if (claimed === undefined) continue;
      const dueAt = at + (row.timeout_s ?? 0) * 1000;
      const sent = await tx.first(noteSent, {orderNo: row.order_no, attempts: claimed.attempts, dueAt, at});
      return sent === undefined ? undefined : recordOf(sent);
    }
  },
);

const noteAttempt = prepare((db, p: Params<{orderNo: string; at: number}>) =>
  db
    .updateTable('orders')
    .set((eb) => ({attempts: eb('attempts', '+', 1), updated_at: p.at}))
    .where('order_no', '=', p.orderNo)
    .returningAll(),
);

/**
 * The device was asked and does not know the order: notes one more attempt before it is written, or gives it up after
 * three. `unchanged`: the device has acknowledged it meanwhile, or it is over; nothing must be written.
 */
export const resendCoin = defineOperation(
  'orders.resendCoin',
  async (tx, {orderNo, at, owner, until}: {orderNo: string; at: number} & Lease): Promise<CoinResult | undefined> => {
    const row = await lockedOrder(tx, orderNo);
    if (row === undefined) return undefined;
    if (row.state !== 'sent') return {change: 'unchanged', order: recordOf(row)};
    if (!(await repeatCommand(tx, {id: commandId(orderNo), attempts: ATTEMPTS, at, owner, until}))) {
      const error = `the device does not take the order after ${ATTEMPTS} attempts`;
      return applyCoin(tx, row, {kind: 'refused', error}, {at, endReason: 'not_taken'});
    }
    return {change: 'changed', order: recordOf((await tx.first(noteAttempt, {orderNo, at})) as OrderRow)};
  },
);

export interface CoinReport {
  readonly orderNo: string;
  readonly deviceId: string;
  readonly state: ReportedState;
  /** Percent: the highest that was heard. */
  readonly progress: number;
  readonly error: string;
  readonly at: number;
}

/** A device's ack. What it repeats, and what was overtaken, writes nothing. Undefined: not an order of this device. */
export const reportCoin = defineOperation(
  'orders.reportCoin',
  async (tx, {orderNo, deviceId, state, progress, error, at}: CoinReport): Promise<CoinResult | undefined> => {
    const row = await lockedOrder(tx, orderNo);
    if (row?.device_id !== deviceId) return undefined;
    return applyCoin(tx, row, {kind: 'reported', state, progress, error}, {at, endReason: 'device'});
  },
);

/** The order ends without the device: it cannot take it (`refused`), or has lost all memory of it (`forgotten`). */
export const endCoin = defineOperation(
  'orders.endCoin',
  async (
    tx,
    {orderNo, why, error, at}: {orderNo: string; why: 'refused' | 'forgotten'; error: string; at: number},
  ): Promise<CoinResult | undefined> => {
    const row = await lockedOrder(tx, orderNo);
    if (row === undefined) return undefined;
    const input = why === 'refused' ? ({kind: 'refused', error} as const) : ({kind: 'forgotten'} as const);
    return applyCoin(tx, row, input, {at, endReason: why});
  },
);

/** Ends an order whose time is over; `unchanged` when it is not, or the order has ended. */
export const expireCoin = defineOperation(
  'orders.expireCoin',
  async (
    tx,
    {orderNo, progress, at}: {orderNo: string; progress: number; at: number},
  ): Promise<CoinResult | undefined> => {
    const row = await lockedOrder(tx, orderNo);
    if (row === undefined) return undefined;
    if (row.due_at === null || row.due_at > at) return {change: 'unchanged', order: recordOf(row)};
    const latest = {...row, progress: Math.max(row.progress, progress)};
    if (row.state !== 'created')
      return applyCoin(tx, latest, {kind: 'timedOut'}, {at, as: 'timeout', endReason: 'no_end'});
    const error = 'the device was not there to take the order in time';
    return applyCoin(tx, row, {kind: 'refused', error}, {at, as: 'timeout', endReason: 'not_sent'});
  },
);

const writeConfirmed = prepare((db, p: Params<{orderNo: string}>) =>
  db
    .updateTable('orders')
    .set({end_reason: 'confirmed'})
    .where('order_no', '=', p.orderNo)
    .where('end_reason', 'in', ['no_end', 'not_taken']),
);

/** An order has ended without its device, which has been asked since and does not contradict: it need not be again. */
export const confirmEnd = defineOperation(
  'orders.confirmEnd',
  async (tx, args: {orderNo: string}): Promise<boolean> => (await tx.run(writeConfirmed, args)) === 1,
);

/** An order as it is after every write that was asked for before, those that nobody knows the outcome of, too. */
export const findCoin = defineOperation(
  'orders.find',
  (tx, args: {orderNo: string}): Promise<OrderRow | undefined> => tx.first(orderByNo, args),
);

export interface CoinCancelled {
  /** `sent`: it may be with the device; `over`: it had ended. */
  readonly outcome: 'cancelled' | 'sent' | 'over';
  readonly order: CoinRecord;
}

const writeCancelled = prepare((db, p: Params<{orderNo: string; at: number}>) =>
  db
    .updateTable('orders')
    .set({state: 'cancelled', end_reason: 'cancelled', ended_at: p.at, due_at: null, updated_at: p.at})
    .where('order_no', '=', p.orderNo)
    .returningAll(),
);

/** Cancels an order of which nothing was sent: either this or the sending wins. Undefined: there is no such order. */
export const cancelCoin = defineOperation(
  'orders.cancelCoin',
  async (tx, {orderNo, at}: {orderNo: string; at: number}): Promise<CoinCancelled | undefined> => {
    const row = await lockedOrder(tx, orderNo);
    if (row === undefined) return undefined;
    if (row.state === 'cancelled') return {outcome: 'cancelled', order: recordOf(row)};
    if (row.state !== 'created') return {outcome: row.due_at === null ? 'over' : 'sent', order: recordOf(row)};
    await closeCommand(tx, {id: commandId(orderNo), state: 'cancelled', at});
    const order = recordOf((await tx.first(writeCancelled, {orderNo, at})) as OrderRow);
    await tellOf(tx, 'order.cancelled', 'created', order, at);
    return {outcome: 'cancelled', order};
  },
);

const resolve = prepare((db, p: Params<{id: number; resolution: string; at: number}>) =>
  db
    .updateTable('discrepancies')
    .set({resolved_at: p.at, resolution: p.resolution})
    .where('id', '=', p.id)
    .where('resolved_at', 'is', null),
);

/** A person has settled a discrepancy. False when there is no open one with this id. */
export const resolveDiscrepancy = defineOperation(
  'orders.resolveDiscrepancy',
  async (tx, args: {id: number; resolution: string; at: number}): Promise<boolean> =>
    (await tx.run(resolve, args)) === 1,
);
