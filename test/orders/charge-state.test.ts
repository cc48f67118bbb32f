import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  ACTIVE_CHARGE_STATES,
  CHARGE_STATES,
  type ChargeInput,
  type ChargeOrder,
  type ChargeState,
  chargeDueAt,
  chargeStep,
  isActiveCharge,
} from '../../src/lib/orders/index.js';

const T = 1_795_000_000_000;
const STATES = Object.keys(CHARGE_STATES) as ChargeState[];
const HOUR = 3_600_000;

function order(state: ChargeState, more: Partial<ChargeOrder> = {}): ChargeOrder {
  const started = state === 'charging' || state === 'interrupted' || state === 'completed';
  return {
    state,
    createdAt: T,
    updatedAt: T,
    startedAt: started ? T : undefined,
    seenChargingAt: started ? T : undefined,
    startSent: true,
    reason: '',
    ...more,
  };
}

const INPUTS: Record<string, ChargeInput> = {
  acked: {kind: 'startAcked', success: true, charging: false, error: ''},
  ackedCharging: {kind: 'startAcked', success: true, charging: true, error: ''},
  refused: {kind: 'startAcked', success: false, charging: false, error: 'no'},
  chargingSeen: {kind: 'chargingSeen'},
  cancel: {kind: 'cancelAsked'},
  stop: {kind: 'stopAsked'},
  stopAcked: {kind: 'stopAcked'},
  ended: {kind: 'ended', reason: 'full'},
  fault: {kind: 'deviceFault', error: 'fuse'},
  offline: {kind: 'deviceOffline'},
  online: {kind: 'deviceOnline'},
  recovered: {kind: 'recovered'},
  tick: {kind: 'tick'},
};

/** What a cell says: the state after it, then the effects; `=` nothing at all; `!` refused. `tick` comes when it is due. */
const TABLE: Record<ChargeState, Record<keyof typeof INPUTS, string>> = {
  pending: {
    acked: 'confirmed',
    ackedCharging: 'charging',
    refused: 'failed freePort',
    chargingSeen: 'charging',
    cancel: 'cancelling removeQueuedStart sendStop',
    stop: 'stopping removeQueuedStart sendStop',
    stopAcked: '=',
    ended: 'pending discrepancy',
    fault: '! INVALID_TRANSITION',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: 'timeout removeQueuedStart freePort',
  },
  confirmed: {
    acked: '=',
    ackedCharging: '=',
    refused: 'confirmed discrepancy',
    chargingSeen: 'charging',
    cancel: 'cancelling removeQueuedStart sendStop',
    stop: 'stopping sendStop',
    stopAcked: '=',
    ended: 'confirmed discrepancy',
    fault: '! INVALID_TRANSITION',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: 'failed sendStop freePort',
  },
  charging: {
    acked: '=',
    ackedCharging: '=',
    refused: 'charging discrepancy',
    chargingSeen: 'charging',
    cancel: '! ORDER_IS_CHARGING',
    stop: 'stopping sendStop',
    stopAcked: '=',
    ended: 'completed freePort',
    fault: 'failed freePort',
    offline: 'interrupted',
    online: '=',
    recovered: '=',
    tick: 'stopping sendForcedStop',
  },
  interrupted: {
    acked: '=',
    ackedCharging: '=',
    refused: 'interrupted discrepancy',
    chargingSeen: '=',
    cancel: '! ORDER_IS_CHARGING',
    stop: '! INVALID_TRANSITION',
    stopAcked: '=',
    ended: 'completed freePort',
    fault: '! INVALID_TRANSITION',
    offline: '=',
    online: 'interrupted',
    recovered: 'charging',
    tick: 'failed freePort',
  },
  cancelling: {
    acked: '=',
    ackedCharging: '=',
    refused: '=',
    chargingSeen: '=',
    cancel: '=',
    stop: '=',
    stopAcked: 'cancelled freePort',
    ended: 'completed freePort',
    fault: 'failed freePort',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: 'cancelled freePort',
  },
  stopping: {
    acked: '=',
    ackedCharging: '=',
    refused: '=',
    chargingSeen: '=',
    cancel: '=',
    stop: '=',
    stopAcked: 'stopped freePort',
    ended: 'completed freePort',
    fault: 'failed freePort',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: 'stopped freePort',
  },
  completed: {
    acked: '=',
    ackedCharging: '=',
    refused: 'completed discrepancy',
    chargingSeen: 'completed discrepancy sendCompensatingStop',
    cancel: '! ORDER_FINISHED',
    stop: '! ORDER_FINISHED',
    stopAcked: '=',
    ended: '=',
    fault: '=',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: '=',
  },
  cancelled: {
    acked: 'cancelled discrepancy sendCompensatingStop',
    ackedCharging: 'cancelled discrepancy sendCompensatingStop',
    refused: '=',
    chargingSeen: 'cancelled discrepancy sendCompensatingStop',
    cancel: '! ORDER_FINISHED',
    stop: '! ORDER_FINISHED',
    stopAcked: '=',
    ended: 'cancelled completeFigures',
    fault: '=',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: '=',
  },
  stopped: {
    acked: 'stopped discrepancy sendCompensatingStop',
    ackedCharging: 'stopped discrepancy sendCompensatingStop',
    refused: '=',
    chargingSeen: 'stopped discrepancy sendCompensatingStop',
    cancel: '! ORDER_FINISHED',
    stop: '! ORDER_FINISHED',
    stopAcked: '=',
    ended: 'stopped completeFigures',
    fault: '=',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: '=',
  },
  failed: {
    acked: 'failed discrepancy sendCompensatingStop',
    ackedCharging: 'failed discrepancy sendCompensatingStop',
    refused: '=',
    chargingSeen: 'failed discrepancy sendCompensatingStop',
    cancel: '! ORDER_FINISHED',
    stop: '! ORDER_FINISHED',
    stopAcked: '=',
    ended: 'failed discrepancy',
    fault: '=',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: '=',
  },
  timeout: {
    acked: 'timeout discrepancy sendCompensatingStop',
    ackedCharging: 'timeout discrepancy sendCompensatingStop',
    refused: 'timeout discrepancy',
    chargingSeen: 'timeout discrepancy sendCompensatingStop',
    cancel: '! ORDER_FINISHED',
    stop: '! ORDER_FINISHED',
    stopAcked: '=',
    ended: 'timeout discrepancy',
    fault: '=',
    offline: '=',
    online: '=',
    recovered: '=',
    tick: '=',
  },
};

/** The result of a step in the words of the table. */
function result(before: ChargeOrder, input: ChargeInput, now: number): string {
  const step = chargeStep(before, input, now);
  if (!step.ok) return `! ${step.refusal}`;
  if (step.order === before && step.effects.length === 0) return '=';
  return [step.order.state, ...step.effects].join(' ');
}

const cells = STATES.flatMap((state) =>
  Object.entries(INPUTS).map(([name, input]) => [state, name, input, TABLE[state][name] as string] as const),
);

describe('the table of the charging order', () => {
  it('has a cell for every state and input', () => {
    for (const state of STATES) expect(Object.keys(TABLE[state]).sort()).toEqual(Object.keys(INPUTS).sort());
  });

  it.each(cells)('%s + %s', (state, name, input, wanted) => {
    const before = order(state);
    const now = name === 'tick' ? (chargeDueAt(before) ?? T + 1000 * HOUR) : T + 1000;
    expect(result(before, input, now)).toBe(wanted);
  });

  it('takes a start out of the queue that was not sent, and is done', () => {
    expect(result(order('pending', {startSent: false}), {kind: 'cancelAsked'}, T)).toBe(
      'cancelled removeQueuedStart freePort',
    );
  });

  it('does not stop the next order of a port for the repeated ack of one that ran', () => {
    for (const state of ['stopped', 'failed', 'cancelled'] as const) {
      const before = order(state, {startedAt: T});
      expect(result(before, {kind: 'startAcked', success: true, charging: true, error: ''}, T + 1)).toBe('=');
    }
  });

  it('keeps why it ended', () => {
    const reason = (state: ChargeState, name: string): string | undefined => {
      const step = chargeStep(order(state), INPUTS[name] as ChargeInput, T + 1);
      return step.ok ? step.order.reason : undefined;
    };
    expect([reason('pending', 'refused'), reason('charging', 'ended'), reason('charging', 'fault')]).toEqual([
      'no',
      'full',
      'fuse',
    ]);
  });
});

describe('the time limits', () => {
  const minutes = 60_000;
  it.each<[string, ChargeOrder, number]>([
    ['10 s for the ack', order('pending'), 10_000],
    ['5 s after the last touch', order('pending', {updatedAt: T + 8000}), 13_000],
    ['30 s for a sign of charging', order('confirmed'), 30_000],
    ['30 s for a cancel', order('cancelling'), 30_000],
    ['30 s for a stop', order('stopping'), 30_000],
    ['60 s to come back', order('interrupted'), 60_000],
    ['2 h for a short order', order('charging', {orderedSeconds: 3600}), 2 * HOUR],
    ['the ordered 900 min and ten', order('charging', {orderedSeconds: 900 * 60}), 910 * minutes],
    ['2 h since the last sign without an ordered time', order('charging', {seenChargingAt: T + HOUR}), 3 * HOUR],
  ])('%s', (_, before, limit) => {
    expect(result(before, {kind: 'tick'}, T + limit)).toBe('=');
    expect(chargeDueAt(before)).toBe(T + limit + 1);
    expect(result(before, {kind: 'tick'}, T + limit + 1)).not.toBe('=');
  });

  it('an ack or a sign after 10 s comes too late, even before anybody has noticed', () => {
    const late = T + 10_001;
    expect(result(order('pending'), INPUTS.acked as ChargeInput, late)).toBe(
      'pending discrepancy sendCompensatingStop',
    );
    expect(result(order('pending'), INPUTS.chargingSeen as ChargeInput, late)).toBe(
      'pending discrepancy sendCompensatingStop',
    );
    expect(result(order('pending'), INPUTS.refused as ChargeInput, late)).toBe('pending discrepancy');
    expect(result(order('pending'), INPUTS.acked as ChargeInput, T + 10_000)).toBe('confirmed');
  });

  it('a device that connects again has 60 s from then on', () => {
    const step = chargeStep(order('interrupted'), {kind: 'deviceOnline'}, T + 50_000);
    expect(step.ok && chargeDueAt(step.order)).toBe(T + 110_001);
  });
});

const anyInput = fc.constantFrom(...Object.values(INPUTS));
const anyWalk = fc.array(fc.tuple(anyInput, fc.integer({min: 0, max: 90_000})), {maxLength: 40});

describe('whatever happens', () => {
  it('a final state stays, the port is freed exactly once, with the end', () => {
    fc.assert(
      fc.property(anyWalk, fc.boolean(), (walk, startSent) => {
        let now = T;
        let current = order('pending', {startSent});
        let freed = 0;
        for (const [input, pause] of walk) {
          now += pause;
          const before = current;
          const step = chargeStep(before, input, now);
          if (!step.ok) continue;
          if (!isActiveCharge(before.state)) expect(step.order).toBe(before);
          if (step.effects.includes('freePort')) {
            freed += 1;
            expect([isActiveCharge(before.state), isActiveCharge(step.order.state)]).toEqual([true, false]);
          }
          if (!step.changed) expect(step.order.state).toBe(before.state);
          if (step.effects.includes('sendCompensatingStop')) expect(step.effects).toContain('discrepancy');
          current = step.order;
        }
        expect(freed).toBe(isActiveCharge(current.state) ? 0 : 1);
      }),
    );
  });

  it('every open order ends by itself', () => {
    fc.assert(
      fc.property(anyWalk, (walk) => {
        let now = T;
        let current = order('pending');
        for (const [input, pause] of walk) {
          now += pause;
          const step = chargeStep(current, input, now);
          if (step.ok) current = step.order;
        }
        for (let count = 0; isActiveCharge(current.state); count += 1) {
          expect(count).toBeLessThan(4);
          const due = chargeDueAt(current) as number;
          const step = chargeStep(current, {kind: 'tick'}, Math.max(now, due));
          expect(step.ok && step.changed).toBe(true);
          if (step.ok) current = step.order;
          now = Math.max(now, due);
        }
        expect(chargeDueAt(current)).toBeUndefined();
      }),
    );
  });

  it('the numbers are those of the interface, and six of them hold the port', () => {
    expect(Object.values(CHARGE_STATES)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ACTIVE_CHARGE_STATES.map((state) => CHARGE_STATES[state])).toEqual([0, 1, 2, 8, 9, 10]);
  });
});
