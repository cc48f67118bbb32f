import {setTimeout as pause} from 'node:timers/promises';
import {CallError, type Client, type OrderData, pathOf} from '../lib/client/index.js';
import {PaynetError} from '../lib/errors.js';

export interface FollowOptions {
  /** How long an order that does not end is followed, in milliseconds. */
  limitMs: number;
  signal: AbortSignal;
  /** Told of every change of status or progress. */
  changed(order: OrderData): void;
}

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 2000;
/** A server that restarts is back after this. */
const AWAY_MS = 60_000;

/**
 * Asks for an order until it has ended: often while it changes, seldom while it does not, and through a restart of the
 * server.
 * @throws CallError when the server does not answer any more; PaynetError ORDER_OPEN, FOLLOW_ENDED
 */
export async function followOrder(client: Client, order: OrderData, options: FollowOptions): Promise<OrderData> {
  const {limitMs, signal, changed} = options;
  const began = performance.now();
  let heardAt = began;
  let pauseMs = FIRST_PAUSE_MS;
  let last = order;
  changed(last);
  while (last.ended_at === null) {
    await pause(pauseMs, undefined, {signal}).catch(() => undefined);
    pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
    const now = performance.now();
    if (signal.aborted) throw new PaynetError('FOLLOW_ENDED', `Order ${order.order_no} goes on; it is not followed.`);
    if (now - began > limitMs) throw stillOpen(last);
    try {
      const next = await client.get<OrderData>(pathOf`/api/v1/coin-orders/${order.order_no}`);
      heardAt = now;
      if (next.status === last.status && next.progress === last.progress && next.ended_at === last.ended_at) continue;
      last = next;
      pauseMs = FIRST_PAUSE_MS;
      changed(last);
    } catch (error) {
      if (signal.aborted) continue;
      if (!mayPass(error) || now - heardAt > AWAY_MS) throw error;
    }
  }
  return last;
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof CallError)) return false;
  const {code, status = 0} = error;
  return code === 'SERVER_UNREACHABLE' || code === 'SERVER_TIMEOUT' || status === 429 || status >= 500;
}

function stillOpen({order_no, status}: OrderData): PaynetError {
  return new PaynetError('ORDER_OPEN', `Order ${order_no} has not ended in its time: it is ${status}.`, {
    hint: `Look again: paynetctl order show ${order_no}`,
  });
}
