import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {Alarm, DeadlineWheel} from '../../src/lib/session/index.js';

const TICK_MS = 100;

type Action =
  | {kind: 'schedule'; who: number; ms: number}
  | {kind: 'cancel'; who: number}
  | {kind: 'advance'; ms: number};

const who = fc.integer({min: 0, max: 7});
const action: fc.Arbitrary<Action> = fc.oneof(
  // Over 102.4 s the wheel turns more than once before the entry is due.
  fc.record({
    kind: fc.constant('schedule' as const),
    who,
    ms: fc.oneof(fc.double({min: 0, max: 300_000, noNaN: true}), fc.nat(400)),
  }),
  fc.record({kind: fc.constant('cancel' as const), who}),
  fc.record({
    kind: fc.constant('advance' as const),
    ms: fc.oneof(fc.double({min: 0, max: 1000, noNaN: true}), fc.constantFrom(0, 100, 250_000)),
  }),
);

describe('the wheel', () => {
  it('calls what a list of due times would have called: never early, at most a tick late, once', () => {
    fc.assert(
      fc.property(fc.array(action, {maxLength: 60}), (actions) => {
        const wheel = new DeadlineWheel();
        const due = new Map<number, number>();
        const alarms = Array.from(
          {length: 8},
          (_, index) =>
            new Alarm(() => {
              const at = due.get(index);
              expect(at, `${index} is not scheduled`).toBeDefined();
              expect(wheel.now).toBeGreaterThanOrEqual(at ?? Number.POSITIVE_INFINITY);
              due.delete(index);
            }),
        );
        for (const step of actions) {
          if (step.kind === 'advance') wheel.advance(step.ms);
          else if (step.kind === 'cancel') {
            wheel.cancel(alarms[step.who] as Alarm);
            due.delete(step.who);
          } else {
            wheel.schedule(alarms[step.who] as Alarm, step.ms);
            due.set(step.who, wheel.now + step.ms);
          }
          expect(wheel.size).toBe(due.size);
          for (const at of due.values()) expect(wheel.now - at).toBeLessThan(TICK_MS);
        }
      }),
      {numRuns: 500},
    );
  });

  it('does not call what is cancelled by another entry of the same tick', () => {
    const wheel = new DeadlineWheel();
    const called: string[] = [];
    const alarms: Record<string, Alarm> = {};
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      alarms[name] = new Alarm(() => {
        called.push(name);
        wheel.cancel(alarms[other] as Alarm);
      });
    }
    wheel.schedule(alarms.a as Alarm, 50);
    wheel.schedule(alarms.b as Alarm, 50);
    wheel.advance(100);
    expect(called).toHaveLength(1);
    expect(wheel.size).toBe(0);
  });

  it('calls what is put off by another entry of the same tick at its new time only', () => {
    const wheel = new DeadlineWheel();
    const called: [string, number][] = [];
    const alarms: Record<string, Alarm> = {};
    for (const [name, other] of [
      ['a', 'b'],
      ['b', 'a'],
    ] as const) {
      alarms[name] = new Alarm(() => {
        called.push([name, wheel.now]);
        if (called.length === 1) wheel.schedule(alarms[other] as Alarm, 500);
      });
      wheel.schedule(alarms[name], 50);
    }
    wheel.advance(100);
    expect(called).toHaveLength(1);
    wheel.advance(400);
    expect(called).toHaveLength(1);
    wheel.advance(100);
    expect(called.map(([, at]) => at)).toEqual([100, 600]);
  });

  it('lets an entry schedule itself again without end, in one long step too', () => {
    const wheel = new DeadlineWheel();
    let calls = 0;
    const alarm: Alarm = new Alarm(() => {
      calls++;
      wheel.schedule(alarm, 0);
    });
    wheel.schedule(alarm, 0);
    wheel.advance(1000);
    expect(calls).toBeGreaterThan(0);
    expect(calls).toBeLessThanOrEqual(10);
    expect(wheel.size).toBe(1);
  });

  it('calls the others when the process did not die of one that throws', () => {
    const wheel = new DeadlineWheel();
    let called = 0;
    const bad = new Alarm(() => {
      throw new Error('boom');
    });
    const good = new Alarm(() => void called++);
    wheel.schedule(good, 10);
    wheel.schedule(bad, 10);
    expect(() => wheel.advance(100)).toThrow('boom');
    wheel.advance(100);
    expect(called).toBe(1);
  });

  it('stands still while the process does: a stall counts for a second at most', async () => {
    const wheel = new DeadlineWheel().start();
    try {
      const ticked = new Promise<number>((resolve) => wheel.schedule(new Alarm(() => resolve(wheel.now)), 1));
      // The loop is blocked for longer than the longest step.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
      expect(await ticked).toBeLessThanOrEqual(1000);
    } finally {
      wheel.stop();
    }
  });

  it('calls nothing after it was stopped', async () => {
    const wheel = new DeadlineWheel().start();
    let calls = 0;
    wheel.schedule(new Alarm(() => void calls++), 1);
    wheel.stop();
    wheel.stop();
    const other = new DeadlineWheel().start();
    await new Promise<void>((resolve) => other.schedule(new Alarm(resolve), 150));
    other.stop();
    expect(calls).toBe(0);
  });
});
