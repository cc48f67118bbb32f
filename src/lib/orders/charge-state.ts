/** The charging order's states with the numbers of the interface (iot-middleware.md §5.1). */
export const CHARGE_STATES = {
  pending: 0,
  confirmed: 1,
  charging: 2,
  completed: 3,
  cancelled: 4,
  stopped: 5,
  failed: 6,
  timeout: 7,
  cancelling: 8,
  stopping: 9,
  interrupted: 10,
} as const;

export type ChargeState = keyof typeof CHARGE_STATES;

/** States in which an order occupies its port. */
export const ACTIVE_CHARGE_STATES: readonly ChargeState[] = [
  'pending',
  'confirmed',
  'charging',
  'cancelling',
  'stopping',
  'interrupted',
];

export const isActiveCharge = (state: ChargeState): boolean => ACTIVE_CHARGE_STATES.includes(state);

/** What the state machine needs to know of an order; times are UTC milliseconds. */
export interface ChargeOrder {
  readonly state: ChargeState;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When the device showed that it charges; undefined before. */
  readonly startedAt?: number | undefined;
  /** The ordered duration; undefined for energy, power and full. */
  readonly orderedSeconds?: number | undefined;
  /** When the device last showed that it charges. */
  readonly seenChargingAt?: number | undefined;
  /** Whether the start command may have been written to the device. */
  readonly startSent: boolean;
  readonly reason: string;
}

export type ChargeInput =
  /** The device's answer to the start command; `charging` when the protocol has no separate sign for that. */
  | {kind: 'startAcked'; success: boolean; charging: boolean; error: string}
  | {kind: 'chargingSeen'}
  | {kind: 'cancelAsked'}
  | {kind: 'stopAsked'}
  /** The device's answer to the stop command. */
  | {kind: 'stopAcked'}
  | {kind: 'ended'; reason: string}
  | {kind: 'deviceFault'; error: string}
  | {kind: 'deviceOffline'}
  /** The device has connected again: the time in which it must recover begins anew. */
  | {kind: 'deviceOnline'}
  /** Three frames within the window and the port is normal: the caller has counted. */
  | {kind: 'recovered'}
  /** Time has passed; see `chargeDueAt`. */
  | {kind: 'tick'};

/** What follows from a step, besides the new order. */
export type ChargeEffect =
  | 'removeQueuedStart'
  | 'sendStop'
  /** A stop at the highest priority: the order runs past every limit. */
  | 'sendForcedStop'
  /** Power is on for an order that is over: a stop at the highest priority. */
  | 'sendCompensatingStop'
  | 'freePort'
  /** Energy, amount and end of the order as its late end report says; its state stays. */
  | 'completeFigures'
  | 'discrepancy';

/** Why a request is refused. */
export type ChargeRefusal = 'ORDER_IS_CHARGING' | 'ORDER_FINISHED' | 'INVALID_TRANSITION';

export type ChargeStep =
  | {ok: true; order: ChargeOrder; changed: boolean; effects: readonly ChargeEffect[]}
  | {ok: false; refusal: ChargeRefusal};

const SECOND = 1000;
const PENDING_MS = 10 * SECOND;
/** An order that has just been touched is not timed out in the same moment. */
const PENDING_GUARD_MS = 5 * SECOND;
const CONFIRMED_MS = 30 * SECOND;
const ENDING_MS = 30 * SECOND;
const INTERRUPTED_MS = 60 * SECOND;
const CHARGING_LIMIT_MS = 2 * 60 * 60 * SECOND;
const OVER_ORDERED_MS = 10 * 60 * SECOND;

/**
 * The charging order's state machine (iot-middleware.md §5.2). What it does not know is refused, what is only repeated or
 * overtaken changes nothing, and a final state stays. `now` is UTC milliseconds.
 */
export function chargeStep(order: ChargeOrder, input: ChargeInput, now: number): ChargeStep {
  switch (input.kind) {
    case 'startAcked':
      return startAcked(order, input, now);
    case 'chargingSeen':
      return chargingSeen(order, now);
    case 'cancelAsked':
      return cancelAsked(order, now);
    case 'stopAsked':
      return stopAsked(order, now);
    case 'stopAcked':
      if (order.state === 'cancelling') return move(order, 'cancelled', now, ['freePort']);
      return order.state === 'stopping' ? move(order, 'stopped', now, ['freePort']) : stay(order);
    case 'ended':
      return ended(order, input.reason, now);
    case 'deviceFault':
      return deviceFault(order, input.error, now);
    case 'deviceOnline':
      return order.state === 'interrupted' ? move(order, 'interrupted', now, []) : stay(order);
    case 'deviceOffline':
      return order.state === 'charging' ? move(order, 'interrupted', now, []) : stay(order);
    case 'recovered':
      return order.state === 'interrupted' ? move({...order, seenChargingAt: now}, 'charging', now, []) : stay(order);
    case 'tick':
      return tick(order, now);
  }
}

/** The first moment at which `tick` moves the order on; undefined for a final state. UTC milliseconds. */
export function chargeDueAt(order: ChargeOrder): number | undefined {
  const limit = limitOf(order);
  // Limits are reached, not passed, at their last millisecond.
  return limit === undefined ? undefined : limit + 1;
}

function limitOf(order: ChargeOrder): number | undefined {
  switch (order.state) {
    case 'pending':
      return Math.max(order.createdAt + PENDING_MS, order.updatedAt + PENDING_GUARD_MS);
    case 'confirmed':
      return order.updatedAt + CONFIRMED_MS;
    case 'cancelling':
    case 'stopping':
      return order.updatedAt + ENDING_MS;
    case 'interrupted':
      return order.updatedAt + INTERRUPTED_MS;
    case 'charging':
      return chargingLimit(order);
    default:
      return undefined;
  }
}

const isOverdue = ({state, createdAt}: ChargeOrder, now: number): boolean =>
  state === 'pending' && now - createdAt > PENDING_MS;

function startAcked(order: ChargeOrder, ack: ChargeInput & {kind: 'startAcked'}, now: number): ChargeStep {
  if (!ack.success) return startRefused(order, ack.error, now);
  switch (order.state) {
    case 'pending':
      if (isOverdue(order, now)) return powerIsOn(order);
      if (!ack.charging) return move(order, 'confirmed', now, []);
      return begin(order, now);
    case 'confirmed':
    case 'charging':
    case 'interrupted':
      return stay(order);
    // The stop goes to the device after the start that it answers now.
    case 'cancelling':
    case 'stopping':
      return stay(order);
    default:
      // One that ran and is over had this ack long ago; a stop now could hit the next order of the port.
      return order.startedAt === undefined && order.state !== 'completed' ? powerIsOn(order) : stay(order);
  }
}

function startRefused(order: ChargeOrder, error: string, now: number): ChargeStep {
  switch (order.state) {
    case 'pending':
      return isOverdue(order, now) ? contradict(order) : move(order, 'failed', now, ['freePort'], error);
    // Nothing runs, and nothing is meant to.
    case 'cancelling':
    case 'stopping':
    case 'cancelled':
    case 'stopped':
    case 'failed':
      return stay(order);
    default:
      return contradict(order);
  }
}

function chargingSeen(order: ChargeOrder, now: number): ChargeStep {
  switch (order.state) {
    case 'pending':
      return isOverdue(order, now) ? powerIsOn(order) : begin(order, now);
    case 'confirmed':
      return begin(order, now);
    case 'charging':
      // Progress is no change of state: the caller keeps it in memory.
      return {ok: true, order: {...order, seenChargingAt: now}, changed: false, effects: []};
    case 'cancelling':
    case 'stopping':
    case 'interrupted':
      return stay(order);
    default:
      return powerIsOn(order);
  }
}

const begin = (order: ChargeOrder, now: number): ChargeStep =>
  move({...order, startedAt: now, seenChargingAt: now}, 'charging', now, []);

/** The power is on for an order that was given up: nobody may get it for nothing. */
const powerIsOn = (order: ChargeOrder): ChargeStep => ({
  ok: true,
  order,
  changed: false,
  effects: ['discrepancy', 'sendCompensatingStop'],
});

const contradict = (order: ChargeOrder): ChargeStep => ({ok: true, order, changed: false, effects: ['discrepancy']});

function cancelAsked(order: ChargeOrder, now: number): ChargeStep {
  switch (order.state) {
    case 'pending':
    case 'confirmed':
      // No protocol has a cancel: what may have been started is stopped, what was not is taken out of the queue.
      if (order.startSent) return move(order, 'cancelling', now, ['removeQueuedStart', 'sendStop']);
      return move(order, 'cancelled', now, ['removeQueuedStart', 'freePort']);
    case 'cancelling':
    case 'stopping':
      return stay(order);
    case 'charging':
    case 'interrupted':
      return {ok: false, refusal: 'ORDER_IS_CHARGING'};
    default:
      return {ok: false, refusal: 'ORDER_FINISHED'};
  }
}

function stopAsked(order: ChargeOrder, now: number): ChargeStep {
  switch (order.state) {
    case 'pending':
      // A start that waits to be sent once more must not follow the stop.
      return move(order, 'stopping', now, ['removeQueuedStart', 'sendStop']);
    case 'confirmed':
    case 'charging':
      return move(order, 'stopping', now, ['sendStop']);
    case 'cancelling':
    case 'stopping':
      return stay(order);
    case 'interrupted':
      return {ok: false, refusal: 'INVALID_TRANSITION'};
    default:
      return {ok: false, refusal: 'ORDER_FINISHED'};
  }
}

function deviceFault(order: ChargeOrder, error: string, now: number): ChargeStep {
  switch (order.state) {
    case 'charging':
    case 'cancelling':
    case 'stopping':
      return move(order, 'failed', now, ['freePort'], error);
    // Their short limits end them, or their acks do.
    case 'pending':
    case 'confirmed':
    case 'interrupted':
      return {ok: false, refusal: 'INVALID_TRANSITION'};
    default:
      return stay(order);
  }
}

function ended(order: ChargeOrder, reason: string, now: number): ChargeStep {
  switch (order.state) {
    case 'charging':
    case 'interrupted':
    case 'cancelling':
    case 'stopping':
      return move(order, 'completed', now, ['freePort'], reason);
    case 'cancelled':
    case 'stopped':
      return {ok: true, order, changed: false, effects: ['completeFigures']};
    case 'completed':
      return stay(order);
    default:
      return contradict(order);
  }
}

function tick(order: ChargeOrder, now: number): ChargeStep {
  const due = chargeDueAt(order);
  if (due === undefined || now < due) return stay(order);
  switch (order.state) {
    case 'pending':
      return move(order, 'timeout', now, ['removeQueuedStart', 'freePort'], 'the device has not answered in time');
    case 'confirmed':
      return move(order, 'failed', now, ['sendStop', 'freePort'], 'the device has not begun to charge');
    case 'cancelling':
      return move(order, 'cancelled', now, ['freePort']);
    case 'stopping':
      return move(order, 'stopped', now, ['freePort']);
    case 'interrupted':
      return move(order, 'failed', now, ['freePort'], 'the device did not come back in time');
    case 'charging':
      return move(order, 'stopping', now, ['sendForcedStop'], 'max_time');
    default:
      return stay(order);
  }
}

/** Two hours, and past the ordered time by ten minutes; without an ordered time, two hours without a sign of charging. */
function chargingLimit({startedAt = 0, updatedAt, orderedSeconds, seenChargingAt}: ChargeOrder): number {
  const start = startedAt > 0 ? startedAt : updatedAt;
  if (orderedSeconds === undefined) return Math.max(start, seenChargingAt ?? start) + CHARGING_LIMIT_MS;
  return Math.max(start + CHARGING_LIMIT_MS, start + orderedSeconds * SECOND + OVER_ORDERED_MS);
}

function move(
  order: ChargeOrder,
  state: ChargeState,
  now: number,
  effects: readonly ChargeEffect[],
  reason = order.reason,
): ChargeStep {
  return {ok: true, order: {...order, state, updatedAt: now, reason}, changed: true, effects};
}

function stay(order: ChargeOrder): ChargeStep {
  return {ok: true, order, changed: false, effects: []};
}
