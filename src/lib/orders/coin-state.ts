/** What a device reports of a coin order. */
export type ReportedState = 'accepted' | 'running' | 'done' | 'failed';

/** What a device says of a coin order. */
export interface Report {
  state: ReportedState;
  /** Percent. */
  progress: number;
  error: string;
}

/** `created`: not written to the device yet; `sent`: written, and nothing heard of it since. */
export type CoinOrderState = 'created' | 'sent' | ReportedState;

export interface CoinOrder {
  readonly orderId: string;
  readonly deviceId: string;
  readonly coins: number;
  /** The device's limit for the whole execution. */
  readonly timeoutSeconds: number;
  readonly state: CoinOrderState;
  /** Percent; it never goes back. */
  readonly progress: number;
  readonly error: string;
  /** How often the command was written. */
  readonly attempts: number;
}

export type CoinInput =
  | {kind: 'written'}
  | {kind: 'reported'; state: ReportedState; progress: number; error: string}
  | {kind: 'refused'; error: string}
  /** The device had acknowledged it, and says now that it does not know it. */
  | {kind: 'forgotten'}
  | {kind: 'timedOut'};

/** What follows from a step, besides the new order. */
export type CoinEffect = 'progressed' | 'finished' | 'discrepancy';

export interface CoinStep {
  order: CoinOrder;
  effects: readonly CoinEffect[];
}

export const isFinal = (state: CoinOrderState): boolean => state === 'done' || state === 'failed';

const RANK: Record<CoinOrderState, number> = {created: 0, sent: 1, accepted: 2, running: 3, done: 4, failed: 4};

/**
 * The coin order's state machine: ACCEPTED → RUNNING → DONE or FAILED (paynet.md). A final state stays. A report that
 * contradicts it changes nothing but is a discrepancy, because the coins may be out; a repeated or overtaken one is
 * nothing at all.
 */
export function coinStep(order: CoinOrder, input: CoinInput): CoinStep {
  if (isFinal(order.state)) return afterTheEnd(order, input);
  switch (input.kind) {
    case 'written': {
      const state = order.state === 'created' ? 'sent' : order.state;
      return {order: {...order, state, attempts: order.attempts + 1}, effects: []};
    }
    case 'refused':
      return {order: {...order, state: 'failed', error: input.error}, effects: ['finished']};
    case 'forgotten': {
      const error = 'the device does not know the order any more; how many coins are out is not known';
      return {order: {...order, state: 'failed', error}, effects: ['finished', 'discrepancy']};
    }
    case 'timedOut': {
      const error = `no end within ${order.timeoutSeconds} s`;
      return {order: {...order, state: 'failed', error}, effects: ['finished']};
    }
    case 'reported':
      return report(order, input);
  }
}

function report(order: CoinOrder, {state, progress, error}: CoinInput & {kind: 'reported'}): CoinStep {
  if (RANK[state] < RANK[order.state]) return {order, effects: []};
  const reached = state === 'done' ? 100 : Math.max(order.progress, progress);
  if (state === order.state && reached === order.progress) return {order, effects: []};
  const next = {...order, state, progress: reached, error};
  return {order: next, effects: [isFinal(state) ? 'finished' : 'progressed']};
}

function afterTheEnd(order: CoinOrder, input: CoinInput): CoinStep {
  if (input.kind !== 'reported' || input.state === order.state) return {order, effects: []};
  // After DONE, an ACCEPTED or RUNNING was only overtaken; after FAILED it says that coins are dropping.
  const overtaken = order.state === 'done' && input.state !== 'failed';
  return {order, effects: overtaken ? [] : ['discrepancy']};
}
