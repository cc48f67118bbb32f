import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {type Ledger, type LedgerEntry, memoryLedger} from '../../src/lib/device/index.js';
import {ExecutedOrders} from '../../src/lib/device/once.js';
import {CoinAck, CoinCommand, CoinState, QueryReq, ResultCode} from '../../src/lib/registry/index.js';

const {COIN_ACCEPTED: ACCEPTED, COIN_RUNNING: RUNNING, COIN_DONE: DONE, COIN_FAILED: FAILED} = CoinState;
const command = (orderId = 'o-1', coins = 3): CoinCommand => CoinCommand.create({orderId, coins, timeout: 30});
const ack = (state: CoinState, more: Partial<CoinAck> = {}): CoinAck =>
  CoinAck.create({orderId: 'o-1', state, ...more});
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A ledger whose puts end when, and as, the test says; nothing is in it before. */
class SlowLedger implements Ledger {
  readonly stored = new Map<string, LedgerEntry>();
  readonly waiting: {entry: LedgerEntry; resolve(): void; reject(error: Error): void}[] = [];

  get(orderId: string): LedgerEntry | undefined {
    return this.stored.get(orderId);
  }

  put(entry: LedgerEntry): Promise<void> {
    return new Promise((resolve, reject) => this.waiting.push({entry, resolve, reject}));
  }

  entries(): Iterable<LedgerEntry> {
    return this.stored.values();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async store(): Promise<void> {
    for (const {entry, resolve} of this.waiting.splice(0)) {
      this.stored.set(entry.orderId, entry);
      resolve();
    }
    await settled();
  }

  async refuse(): Promise<void> {
    for (const {reject} of this.waiting.splice(0)) reject(new Error('disk full'));
    await settled();
  }
}

describe('a command', () => {
  it('is executed the first time, and answered with its state ever after', async () => {
    const orders = new ExecutedOrders(memoryLedger());
    expect(await orders.decide(command())).toEqual({execute: true});
    expect(await orders.decide(command())).toEqual({execute: false, ack: ack(ACCEPTED)});
    await orders.note(ack(RUNNING, {progress: 40}));
    expect(await orders.decide(command())).toEqual({execute: false, ack: ack(RUNNING, {progress: 40})});
    await orders.note(ack(DONE, {progress: 100}));
    for (let n = 0; n < 100; n++) {
      expect(await orders.decide(command())).toEqual({execute: false, ack: ack(DONE, {progress: 100})});
    }
  });

  it('is executed once when it comes a hundred times at once, and answered only with what is stored', async () => {
    const ledger = new SlowLedger();
    const orders = new ExecutedOrders(ledger);
    const answered: unknown[] = [];
    const decisions = Array.from({length: 100}, () => orders.decide(command()));
    for (const decision of decisions) void decision.then((one) => answered.push(one));
    await settled();
    expect(ledger.waiting).toHaveLength(1);
    // A power cut now would leave no trace of it: nobody may have heard of it.
    expect(answered).toEqual([]);
    await ledger.store();
    expect((await Promise.all(decisions)).filter(({execute}) => execute)).toHaveLength(1);
  });

  it('is not executed when it cannot be remembered, however often and however many bring it', async () => {
    const ledger = new SlowLedger();
    const orders = new ExecutedOrders(ledger);
    const decisions = Array.from({length: 3}, () => orders.decide(command()));
    for (let n = 0; n < 3; n++) {
      await settled();
      expect(ledger.waiting).toHaveLength(1);
      await ledger.refuse();
    }
    for (const decision of await Promise.all(decisions)) {
      expect(decision).toEqual({
        execute: false,
        ack: ack(FAILED, {error: 'the device cannot remember orders: disk full'}),
      });
    }
    expect(await orders.answer(QueryReq.create({orderId: 'o-1'}))).toMatchObject({code: ResultCode.ORDER_NOT_FOUND});
  });

  it.each([command(''), command('o-1', 0), command('x'.repeat(129)), command('\u{fffd}'), command('a\u0000')])(
    'is refused when it is no order: %o',
    async (wrong) => {
      const ledger = memoryLedger();
      const orders = new ExecutedOrders(ledger);
      await expect(orders.decide(wrong)).rejects.toMatchObject({code: 'REFUSED', result: ResultCode.PARAM_ERROR});
      expect([...ledger.entries()]).toEqual([]);
    },
  );

  it('may ask for the largest amount', async () => {
    const orders = new ExecutedOrders(memoryLedger());
    expect(await orders.decide(command('o-1', 2 ** 32 - 1))).toEqual({execute: true});
  });
});

describe('an ack', () => {
  it('is told only when it is stored', async () => {
    const ledger = new SlowLedger();
    const orders = new ExecutedOrders(ledger);
    void orders.decide(command());
    await ledger.store();
    let told = false;
    const noted = orders.note(ack(DONE)).then((one) => {
      told = true;
      return one;
    });
    const repeated = orders.note(ack(DONE));
    const question = orders.answer(QueryReq.create({orderId: 'o-1'}));
    await settled();
    expect(told).toBe(false);
    await ledger.store();
    expect(await noted).toMatchObject({state: DONE});
    expect(await repeated).toMatchObject({state: DONE});
    expect(await question).toMatchObject({state: DONE, code: ResultCode.OK});
  });

  it('that cannot be stored is not told, and the answer stays what is stored', async () => {
    const ledger = new SlowLedger();
    const orders = new ExecutedOrders(ledger);
    void orders.decide(command());
    await ledger.store();
    const noted = orders.note(ack(DONE));
    const repeated = orders.note(ack(DONE));
    const question = orders.answer(QueryReq.create({orderId: 'o-1'}));
    const both = Promise.allSettled([noted, repeated]);
    await ledger.refuse();
    expect((await both).map(({status}) => status)).toEqual(['rejected', 'rejected']);
    expect(await question).toMatchObject({state: ACCEPTED, code: ResultCode.OK});
  });

  it.each([
    [DONE, FAILED],
    [DONE, RUNNING],
    [FAILED, DONE],
    [FAILED, ACCEPTED],
  ])('%i is not contradicted by %i, not even while it is being stored', async (first, second) => {
    const ledger = new SlowLedger();
    const orders = new ExecutedOrders(ledger);
    void orders.decide(command());
    await ledger.store();
    const one = orders.note(ack(first));
    expect(await orders.note(ack(second))).toBeUndefined();
    await ledger.store();
    expect(await one).toBeDefined();
    expect(await orders.note(ack(second))).toBeUndefined();
    expect(await orders.note(ack(first))).toMatchObject({state: first});
  });

  it.each([
    {progress: Number.NaN},
    {progress: -1},
    {progress: 101},
    {progress: 1.5},
    {progress: 2 ** 32},
    {state: 99 as CoinState},
    {state: Number.NaN as CoinState},
    {orderId: ''},
  ])('is refused before it is stored when it says what none can say: %o', async (wrong) => {
    const ledger = memoryLedger();
    const orders = new ExecutedOrders(ledger);
    await orders.decide(command());
    await expect(orders.note(ack(RUNNING, wrong))).rejects.toThrow(RangeError);
    expect(ledger.get('o-1')).toMatchObject({state: ACCEPTED, progress: 0});
  });

  it('has its text cut to what a frame holds', async () => {
    const orders = new ExecutedOrders(memoryLedger());
    await orders.decide(command());
    const noted = await orders.note(ack(FAILED, {error: 'x'.repeat(100_000)}));
    expect(noted?.error).toMatch(/^x{499}…$/);
    expect((await orders.answer(QueryReq.create({orderId: 'o-1'}))).error).toBe(noted?.error);
  });

  it('of an order that the ledger does not know is passed on', async () => {
    const orders = new ExecutedOrders(memoryLedger());
    expect(await orders.note(ack(DONE))).toMatchObject({state: DONE});
  });
});

describe('a question', () => {
  it('about an order that is not there is answered so', async () => {
    const orders = new ExecutedOrders(memoryLedger());
    const answer = await orders.answer(QueryReq.create({orderId: 'o-9'}));
    expect(answer).toMatchObject({orderId: 'o-9', code: ResultCode.ORDER_NOT_FOUND});
  });
});

describe('a restart', () => {
  it('ends what it interrupted, once, and leaves what had ended', async () => {
    const ledger = memoryLedger();
    const before = new ExecutedOrders(ledger);
    for (const orderId of ['a', 'b', 'c']) await before.decide(command(orderId));
    await before.note(ack(RUNNING, {orderId: 'b', progress: 60}));
    await before.note(ack(DONE, {orderId: 'c', progress: 100}));
    const after = new ExecutedOrders(ledger);
    const acks = await after.recover();
    expect(acks.map(({orderId, state, error}) => [orderId, state, error])).toEqual([
      ['a', FAILED, 'interrupted by a restart at 0 %'],
      ['b', FAILED, 'interrupted by a restart at 60 %'],
    ]);
    expect(await after.recover()).toEqual([]);
    expect(await after.decide(command('b'))).toMatchObject({execute: false, ack: {state: FAILED, progress: 60}});
    expect(await after.decide(command('c'))).toMatchObject({execute: false, ack: {state: DONE}});
  });

  it('that cannot be noted ends the device', async () => {
    const ledger = new SlowLedger();
    ledger.stored.set('a', {orderId: 'a', coins: 1, state: RUNNING, progress: 0, error: ''});
    const recovered = new ExecutedOrders(ledger).recover();
    const outcome = expect(recovered).rejects.toThrow('disk full');
    await ledger.refuse();
    await outcome;
  });
});

describe('any course of commands, acks, restarts and failures', () => {
  type Move = {do: 'command' | 'done' | 'failed' | 'running' | 'store' | 'refuse' | 'restart'; order: number};
  const move: fc.Arbitrary<Move> = fc.record({
    do: fc.constantFrom('command', 'command', 'done', 'failed', 'running', 'store', 'store', 'refuse', 'restart'),
    order: fc.nat(2),
  });

  it('executes an order at most once, and tells one end of it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, {maxLength: 40}), async (moves) => {
        const ledger = new SlowLedger();
        let orders = new ExecutedOrders(ledger);
        const executed: string[] = [];
        const ends = new Map<string, Set<CoinState>>();
        const tell = (said: CoinAck | undefined): void => {
          if (said === undefined || said.state < DONE) return;
          // What was never stored was never begun: it may be said to have failed, and tried anew.
          if (said.error.startsWith('the device cannot remember')) return;
          const told = ends.get(said.orderId) ?? new Set();
          ends.set(said.orderId, told.add(said.state));
        };
        for (const {do: what, order} of moves) {
          const orderId = `o-${order}`;
          const states = {done: DONE, failed: FAILED, running: RUNNING} as const;
          if (what === 'command') {
            const decided = orders.decide(command(orderId));
            void decided.then((one) => (one.execute ? void executed.push(orderId) : tell(one.ack)));
          } else if (what === 'store') await ledger.store();
          else if (what === 'refuse') await ledger.refuse();
          else if (what === 'restart') {
            // A power cut: what waits is gone, with whoever waited for it.
            ledger.waiting.splice(0);
            orders = new ExecutedOrders(ledger);
            const recovered = orders.recover();
            await ledger.store();
            for (const one of await recovered) tell(one);
          } else if (executed.includes(orderId)) {
            orders.note(CoinAck.create({orderId, state: states[what]})).then(tell, () => undefined);
          }
        }
        await ledger.store();
        expect(new Set(executed).size).toBe(executed.length);
        for (const told of ends.values()) expect(told.size).toBe(1);
      }),
      {numRuns: 300},
    );
  });
});
