import {appendEvent, appendNumbered, type OrderEvent} from '../events/index.js';
import {closeCommand} from '../outbound/index.js';
import {type OrderRow, type Params, prepare, type Tx} from '../store/index.js';
import {asMachine, type CoinRecord, type CoinState, recordOf} from './coin-record.js';
import {type CoinInput, coinStep, isFinal} from './coin-state.js';
import {discrepanciesOfOrder} from './queries.js';

/** What a write has made of an order. */
export type CoinChange = 'unchanged' | 'changed' | 'discrepancy';

export interface CoinResult {
  readonly change: CoinChange;
  readonly order: CoinRecord;
}

/** The one command of a coin order. */
export const commandId = (orderNo: string): string => `coin:${orderNo}`;

const locked = prepare((db, p: Params<{orderNo: string}>) =>
  db.selectFrom('orders').selectAll().where('order_no', '=', p.orderNo).where('kind', '=', 'coin').forUpdate(),
);

/** An order, kept from others until the operation ends. */
export function lockedOrder(tx: Tx, orderNo: string): Promise<OrderRow | undefined> {
  return tx.first(locked, {orderNo});
}

interface Written {
  orderNo: string;
  state: string;
  progress: number;
  error: string | null;
  endReason: string | null;
  startedAt: number | null;
  endedAt: number | null;
  dueAt: number | null;
  sequence: number;
  at: number;
}

const write = prepare((db, p: Params<Written>) =>
  db
    .updateTable('orders')
    .set({
      state: p.state,
      progress: p.progress,
      error: p.error,
      end_reason: p.endReason,
      started_at: p.startedAt,
      ended_at: p.endedAt,
      due_at: p.dueAt,
      sequence: p.sequence,
      updated_at: p.at,
    })
    .where('order_no', '=', p.orderNo),
);

const insertDiscrepancy = prepare(
  (db, p: Params<{orderNo: string; deviceId: string; state: string; reported: string; at: number}>) =>
    db.insertInto('discrepancies').values({
      order_no: p.orderNo,
      device_id: p.deviceId,
      order_state: p.state,
      reported: p.reported,
      created_at: p.at,
    }),
);

const EVENTS: Partial<Record<CoinState, string>> = {
  accepted: 'order.confirmed',
  running: 'order.confirmed',
  done: 'order.completed',
  failed: 'order.failed',
  cancelled: 'order.cancelled',
  timeout: 'order.timeout',
};

/**
 * Applies what happened to an order: state, command, event and discrepancy, or nothing at all when it says nothing new.
 * `endReason` tells what ended it, for a machine; `as` is the stored state when it is another than the machine's.
 */
export async function applyCoin(
  tx: Tx,
  row: OrderRow,
  input: CoinInput,
  {at, as, endReason = null}: {at: number; as?: CoinState; endReason?: string | null},
): Promise<CoinResult> {
  const before = recordOf(row);
  const {order, effects} = coinStep(asMachine(before), input);
  if (effects.length === 0) return {change: 'unchanged', order: before};
  let after = before;
  if (effects.some((effect) => effect !== 'discrepancy')) {
    const over = isFinal(order.state);
    const state = as ?? order.state;
    // RUNNING after ACCEPTED, and progress, are no news for the merchant.
    const event = over || before.startedAt === null ? EVENTS[state] : undefined;
    const sequence = row.sequence + (event === undefined ? 0 : 1);
    const error = order.error === '' ? null : order.error;
    const startedAt = row.started_at ?? (input.kind === 'reported' ? at : null);
    const ended = {endReason: over ? endReason : null, endedAt: over ? at : null, dueAt: over ? null : row.due_at};
    const {progress} = order;
    await tx.run(write, {orderNo: row.order_no, state, progress, error, startedAt, ...ended, sequence, at});
    after = {...before, state, progress, error: order.error, startedAt, ...ended, updatedAt: at};
    await closeFirst(tx, before, after, input, at);
    if (event !== undefined) await appendNumbered(tx, eventOf(event, before.state, after, at), sequence);
  }
  if (!effects.includes('discrepancy')) return {change: 'changed', order: after};
  return {change: (await noteDiscrepancy(tx, after, input, at)) ? 'discrepancy' : 'unchanged', order: after};
}

/** The first that is heard of an order, or its end before that, ends its command. */
async function closeFirst(tx: Tx, before: CoinRecord, after: CoinRecord, input: CoinInput, at: number): Promise<void> {
  if (before.startedAt !== null) return;
  const id = commandId(after.orderNo);
  if (input.kind === 'reported') await closeCommand(tx, {id, state: 'done', at});
  else await closeCommand(tx, {id, state: after.state === 'timeout' ? 'expired' : 'dead', error: after.error, at});
}

/** Adds an event of a coin order. */
export async function tellOf(tx: Tx, type: string, from: CoinState | null, order: CoinRecord, at: number, more = {}) {
  await appendEvent(tx, eventOf(type, from, order, at, more));
}

/** An event of a coin order (iot-middleware.md §8.2, for coins). */
export function eventOf(type: string, from: CoinState | null, order: CoinRecord, at: number, more = {}): OrderEvent {
  const {orderNo, deviceId, coins, state, progress, error, amountCent} = order;
  const data = {
    order_no: orderNo,
    coins,
    amount_cent: amountCent,
    old_status: from,
    new_status: state,
    progress,
    reason: error,
    at: Math.floor(at / 1000),
    ...more,
  };
  return {orderNo, deviceId, type, data, at};
}

/** False when the device has said the same before: that is one discrepancy. */
async function noteDiscrepancy(tx: Tx, order: CoinRecord, input: CoinInput, at: number): Promise<boolean> {
  const reported =
    input.kind === 'reported'
      ? {state: input.state, progress: input.progress, error: input.error}
      : {state: 'unknown', progress: 0, error: ''};
  const {orderNo, deviceId, state} = order;
  for (const known of await tx.all(discrepanciesOfOrder, {orderNo})) {
    if ((JSON.parse(known.reported) as {state: string}).state === reported.state) return false;
  }
  await tx.run(insertDiscrepancy, {orderNo, deviceId, state, reported: JSON.stringify(reported), at});
  await tellOf(tx, 'order.discrepancy', state, order, at, {reported});
  return true;
}
