import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  type CoinEffect,
  type CoinInput,
  type CoinOrder,
  type CoinOrderState,
  coinStep,
  isFinal,
  type ReportedState,
} from '../../src/lib/orders/index.js';

const STATES = ['created', 'sent', 'accepted', 'running', 'done', 'failed'] as const;
const REPORTED = ['accepted', 'running', 'done', 'failed'] as const;

function order(state: CoinOrderState, more: Partial<CoinOrder> = {}): CoinOrder {
  const progress = state === 'done' ? 100 : state === 'running' ? 40 : 0;
  return {
    orderId: 'o-1',
    deviceId: 'd-1',
    coins: 5,
    timeoutSeconds: 30,
    state,
    progress,
    error: '',
    attempts: state === 'created' ? 0 : 1,
    ...more,
  };
}

function input(name: string): CoinInput {
  if (name === 'written' || name === 'timedOut' || name === 'forgotten') return {kind: name};
  if (name === 'refused') return {kind: 'refused', error: 'no'};
  const progress = {accepted: 0, running: 60, done: 100, failed: 60}[name as ReportedState];
  return {kind: 'reported', state: name as ReportedState, progress, error: name === 'failed' ? 'jam' : ''};
}

/** State, input, the state after it, and the effects. */
type Row = [CoinOrderState, string, CoinOrderState, ...CoinEffect[]];

const TABLE: Row[] = [
  ['created', 'written', 'sent'],
  ['created', 'accepted', 'accepted', 'progressed'],
  ['created', 'running', 'running', 'progressed'],
  ['created', 'done', 'done', 'finished'],
  ['created', 'failed', 'failed', 'finished'],
  ['created', 'refused', 'failed', 'finished'],
  ['created', 'forgotten', 'failed', 'finished', 'discrepancy'],
  ['created', 'timedOut', 'failed', 'finished'],

  ['sent', 'written', 'sent'],
  ['sent', 'accepted', 'accepted', 'progressed'],
  ['sent', 'running', 'running', 'progressed'],
  ['sent', 'done', 'done', 'finished'],
  ['sent', 'failed', 'failed', 'finished'],
  ['sent', 'refused', 'failed', 'finished'],
  ['sent', 'forgotten', 'failed', 'finished', 'discrepancy'],
  ['sent', 'timedOut', 'failed', 'finished'],

  ['accepted', 'written', 'accepted'],
  ['accepted', 'accepted', 'accepted'],
  ['accepted', 'running', 'running', 'progressed'],
  ['accepted', 'done', 'done', 'finished'],
  ['accepted', 'failed', 'failed', 'finished'],
  ['accepted', 'refused', 'failed', 'finished'],
  ['accepted', 'forgotten', 'failed', 'finished', 'discrepancy'],
  ['accepted', 'timedOut', 'failed', 'finished'],

  ['running', 'written', 'running'],
  ['running', 'accepted', 'running'],
  ['running', 'running', 'running', 'progressed'],
  ['running', 'done', 'done', 'finished'],
  ['running', 'failed', 'failed', 'finished'],
  ['running', 'refused', 'failed', 'finished'],
  ['running', 'forgotten', 'failed', 'finished', 'discrepancy'],
  ['running', 'timedOut', 'failed', 'finished'],

  ['done', 'written', 'done'],
  ['done', 'accepted', 'done'],
  ['done', 'running', 'done'],
  ['done', 'done', 'done'],
  ['done', 'failed', 'done', 'discrepancy'],
  ['done', 'refused', 'done'],
  ['done', 'forgotten', 'done'],
  ['done', 'timedOut', 'done'],

  ['failed', 'written', 'failed'],
  ['failed', 'accepted', 'failed', 'discrepancy'],
  ['failed', 'running', 'failed', 'discrepancy'],
  ['failed', 'done', 'failed', 'discrepancy'],
  ['failed', 'failed', 'failed'],
  ['failed', 'refused', 'failed'],
  ['failed', 'forgotten', 'failed'],
  ['failed', 'timedOut', 'failed'],
];

describe('the table of the coin order', () => {
  it('has a row for every state and input', () => {
    const inputs = ['written', 'refused', 'forgotten', 'timedOut', ...REPORTED];
    const wanted = STATES.flatMap((state) => inputs.map((name) => `${state} ${name}`)).sort();
    expect(TABLE.map(([state, name]) => `${state} ${name}`).sort()).toEqual(wanted);
  });

  it.each(TABLE)('%s + %s → %s', (state, name, after, ...effects) => {
    const before = order(state);
    const step = coinStep(before, input(name));
    expect(step.order.state).toBe(after);
    expect(step.effects).toEqual(effects);
    // What changes nothing hands the same order back, so that nobody stores or tells it.
    if (effects.length === 0 && name !== 'written') expect(step.order).toBe(before);
    if (isFinal(state)) expect(step.order).toBe(before);
  });

  it('counts every writing of an open order', () => {
    const twice = coinStep(coinStep(order('created'), {kind: 'written'}).order, {kind: 'written'}).order;
    expect(twice).toMatchObject({state: 'sent', attempts: 2});
  });

  it('says why an order failed', () => {
    expect(coinStep(order('sent'), {kind: 'timedOut'}).order.error).toBe('no end within 30 s');
    expect(coinStep(order('sent'), input('refused')).order.error).toBe('no');
    expect(coinStep(order('running'), input('failed')).order).toMatchObject({error: 'jam', progress: 60});
    expect(coinStep(order('running'), {kind: 'forgotten'}).order.error).toContain('does not know the order');
  });

  it('takes a DONE for 100 percent, whatever it says', () => {
    const step = coinStep(order('running'), {kind: 'reported', state: 'done', progress: 3, error: ''});
    expect(step.order.progress).toBe(100);
  });
});

const anyInput: fc.Arbitrary<CoinInput> = fc.oneof(
  fc.constantFrom<CoinInput>({kind: 'written'}, {kind: 'timedOut'}, {kind: 'forgotten'}),
  fc.string({maxLength: 5}).map((error): CoinInput => ({kind: 'refused', error})),
  fc.record({
    kind: fc.constant('reported' as const),
    state: fc.constantFrom(...REPORTED),
    progress: fc.integer({min: 0, max: 100}),
    error: fc.string({maxLength: 5}),
  }),
);

describe('any course of events', () => {
  const rank = (state: CoinOrderState): number => (isFinal(state) ? 4 : STATES.indexOf(state));

  it('never leaves a final state, never goes back, and tells each change once', () => {
    fc.assert(
      fc.property(fc.array(anyInput, {maxLength: 30}), (inputs) => {
        let current = order('created');
        let finished = 0;
        for (const next of inputs) {
          const {order: after, effects} = coinStep(current, next);
          expect(rank(after.state)).toBeGreaterThanOrEqual(rank(current.state));
          expect(after.progress).toBeGreaterThanOrEqual(current.progress);
          expect(after.attempts - current.attempts).toBe(next.kind === 'written' && !isFinal(current.state) ? 1 : 0);
          if (isFinal(current.state)) expect(after).toBe(current);
          if (effects.includes('progressed')) expect(isFinal(after.state)).toBe(false);
          if (effects.includes('finished')) finished++;
          const moved = after.state !== current.state || after.progress !== current.progress;
          const told = effects.includes('progressed') || effects.includes('finished');
          // A first writing is nobody's news.
          if (next.kind !== 'written') expect(told).toBe(moved);
          current = after;
        }
        expect(finished).toBe(isFinal(current.state) ? 1 : 0);
      }),
    );
  });

  it('comes to the same end however often reports are repeated', () => {
    fc.assert(
      fc.property(fc.array(anyInput, {maxLength: 12}), fc.integer({min: 2, max: 4}), (inputs, times) => {
        const reports = inputs.filter(({kind}) => kind !== 'written');
        const once = reports.reduce((current, next) => coinStep(current, next).order, order('sent'));
        const often = reports
          .flatMap((next) => Array.from({length: times}, () => next))
          .reduce((current, next) => coinStep(current, next).order, order('sent'));
        expect(often).toEqual(once);
      }),
    );
  });
});
