import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {MessageDefinition} from '../../src/lib/registry/index.js';
import {Dispatcher, type Lane} from '../../src/lib/session/index.js';

const definition = {} as MessageDefinition;

/** A connection as the dispatcher sees it: it has messages to give until it is told to stop. */
class Source implements Lane {
  waiting: Lane['waiting'] = undefined;
  handling = false;
  stopped = false;
  gone = false;
  stops = 0;
  handled: unknown[] = [];
  readonly #dispatcher: Dispatcher;
  readonly #work: (message: unknown, lane: Source) => void | Promise<void>;
  #unread: unknown[] = [];

  constructor(dispatcher: Dispatcher, work: (message: unknown, lane: Source) => void | Promise<void>) {
    this.#dispatcher = dispatcher;
    this.#work = work;
  }

  get unread(): number {
    return this.#unread.length;
  }

  give(...messages: unknown[]): void {
    this.#unread.push(...messages);
    this.#read();
  }

  handle(_: MessageDefinition, message: unknown): void | Promise<void> {
    this.handled.push(message);
    return this.#work(message, this);
  }

  roomAgain(): void {
    expect(this.stopped).toBe(true);
    this.stopped = false;
    this.#read();
  }

  leave(): void {
    this.gone = true;
    this.#dispatcher.drop(this);
  }

  #read(): void {
    while (!this.stopped && !this.gone && this.#unread.length > 0) {
      if (!this.#dispatcher.submit(this, definition, this.#unread.shift())) {
        this.stopped = true;
        this.stops++;
      }
    }
  }
}

interface Gate {
  promise: Promise<void>;
  open(): void;
}
function gate(): Gate {
  let open = (): void => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return {promise, open};
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const numbers = (count: number): number[] => Array.from({length: count}, (_, index) => index);

describe('the dispatcher', () => {
  it('handles at once what needs no promise, and holds nothing', () => {
    const dispatcher = new Dispatcher({workers: 1, queue: 1});
    const source = new Source(dispatcher, () => undefined);
    source.give(...numbers(1000));
    expect(source.handled).toEqual(numbers(1000));
    expect([dispatcher.running, dispatcher.waiting, source.stops]).toEqual([0, 0, 0]);
  });

  it("never runs more than its workers, keeps each lane's order and loses nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          workers: fc.integer({min: 1, max: 4}),
          queue: fc.integer({min: 1, max: 12}),
          lanes: fc.array(fc.array(fc.integer({min: 0, max: 3}), {maxLength: 90}), {minLength: 1, maxLength: 6}),
        }),
        async ({workers, queue, lanes}) => {
          const dispatcher = new Dispatcher({workers, queue});
          let running = 0;
          const busy = new Set<Source>();
          const work = (message: unknown, lane: Source): void | Promise<void> => {
            expect(busy.has(lane), 'one at a time').toBe(false);
            const turns = (message as [number, number])[1];
            if (turns === 0) return;
            expect(++running).toBeLessThanOrEqual(workers);
            busy.add(lane);
            return (async () => {
              for (let left = turns; left > 1; left--) await turn();
              await undefined;
              running--;
              busy.delete(lane);
              if (turns === 3) throw new Error('a handler must not reject, but the books must be right if it does');
            })();
          };
          const sources = lanes.map(() => new Source(dispatcher, work));
          for (const [index, plan] of lanes.entries()) {
            sources[index]?.give(...plan.map((turns, at) => [at, turns]));
            // What is over the queue is one message of each connection, the one in hand when it stops.
            expect(dispatcher.waiting).toBeLessThanOrEqual(queue + sources.length);
          }
          while (sources.some(({handled}, index) => handled.length < (lanes[index]?.length ?? 0))) await turn();
          await dispatcher.idle(10_000);
          for (const [index, plan] of lanes.entries()) {
            expect(sources[index]?.handled).toEqual(plan.map((turns, at) => [at, turns]));
          }
          expect([dispatcher.running, dispatcher.waiting]).toEqual([0, 0]);
          expect(sources.some(({stopped}) => stopped)).toBe(false);
        },
      ),
      {numRuns: 150},
    );
  });

  it('forgets those who leave, at any moment, and nobody else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({min: 1, max: 3}),
        fc.integer({min: 1, max: 8}),
        fc.array(fc.tuple(fc.nat(3), fc.constantFrom('give', 'give', 'give', 'leave', 'turn')), {maxLength: 80}),
        async (workers, queue, steps) => {
          const dispatcher = new Dispatcher({workers, queue});
          const work = async (_: unknown, lane: Source): Promise<void> => {
            await turn();
            if (lane.gone) return;
            await turn();
          };
          const sources = numbers(4).map(() => new Source(dispatcher, work));
          const given = [0, 0, 0, 0];
          for (const [index, step] of steps) {
            const source = sources[index] as Source;
            if (step === 'turn') await turn();
            else if (step === 'leave') source.leave();
            else if (!source.gone) {
              source.give(given[index]);
              given[index] = (given[index] ?? 0) + 1;
            }
          }
          for (let turns = 0; turns < 4 * steps.length + 4; turns++) await turn();
          expect([dispatcher.running, dispatcher.waiting]).toEqual([0, 0]);
          for (const [index, source] of sources.entries()) {
            if (source.gone) expect(source.waiting ?? []).toEqual([]);
            else expect(source.handled).toEqual(numbers(given[index] ?? 0));
          }
        },
      ),
      {numRuns: 100},
    );
  });

  it('stops the lanes that give more than the queue takes, and lets all of them go on', async () => {
    const dispatcher = new Dispatcher({workers: 1, queue: 4});
    const gates: Gate[] = [];
    const work = (): Promise<void> => {
      const next = gate();
      gates.push(next);
      return next.promise;
    };
    const sources = numbers(5).map(() => new Source(dispatcher, work));
    for (const source of sources) source.give(...numbers(10));
    expect(dispatcher.waiting).toBeLessThanOrEqual(4 + sources.length);
    expect(sources.every(({stopped}) => stopped)).toBe(true);
    while (sources.some(({handled}) => handled.length < 10) || dispatcher.running > 0) {
      gates.shift()?.open();
      await turn();
    }
    for (const {handled} of sources) expect(handled).toEqual(numbers(10));
  });

  it('does not let one lane fill the queue of all', async () => {
    const dispatcher = new Dispatcher({workers: 1, queue: 1000});
    const {promise, open} = gate();
    const greedy = new Source(dispatcher, () => promise);
    const modest = new Source(dispatcher, () => undefined);
    greedy.give(...numbers(500));
    expect(greedy.stopped).toBe(true);
    expect(dispatcher.waiting).toBeLessThan(100);
    modest.give(1);
    expect(modest.stopped).toBe(false);
    open();
    while (greedy.handled.length < 500) await turn();
    expect(modest.handled).toEqual([1]);
    expect(greedy.handled).toEqual(numbers(500));
  });

  it('serves lanes in turn: one with much to do does not hold up one with little', async () => {
    const dispatcher = new Dispatcher({workers: 1, queue: 1000});
    const order: string[] = [];
    const work = (name: string) => async (): Promise<void> => {
      order.push(name);
      await turn();
    };
    const greedy = new Source(dispatcher, work('greedy'));
    const modest = new Source(dispatcher, work('modest'));
    greedy.give(...numbers(50));
    modest.give(1, 2);
    while (order.length < 52) await turn();
    expect(order.indexOf('modest')).toBeLessThanOrEqual(2);
    expect(order.lastIndexOf('modest')).toBeLessThanOrEqual(4);
  });

  it('goes on with the other workers when a handler never ends', async () => {
    const dispatcher = new Dispatcher({workers: 2, queue: 10});
    const stuck = new Source(dispatcher, () => new Promise(() => undefined));
    const fine = new Source(dispatcher, () => turn());
    stuck.give(1, 2, 3);
    fine.give(...numbers(20));
    while (fine.handled.length < 20) await turn();
    expect(stuck.handled).toEqual([1]);
    stuck.leave();
    expect(dispatcher.waiting).toBe(0);
    // The worker is lost until the handler ends; whoever waits for it is told so by the limit.
    await dispatcher.idle(10);
    expect(dispatcher.running).toBe(1);
  });

  it('is idle at once when nothing runs, and otherwise when the last one ends', async () => {
    const dispatcher = new Dispatcher({workers: 2, queue: 10});
    await dispatcher.idle(60_000);
    const {promise, open} = gate();
    const source = new Source(dispatcher, () => promise);
    source.give(1, 2);
    const idle = dispatcher.idle(60_000);
    open();
    await idle;
    expect(source.handled).toEqual([1, 2]);
  });
});
