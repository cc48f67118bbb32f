import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import * as orders from '../../src/lib/orders/index.js';
import {claimForSending} from '../../src/lib/outbound/index.js';
import type {Store} from '../../src/lib/store/index.js';
import {startPostgres, type TestPostgres} from '../store/postgres.js';
import {charge, FIGURES, INPUTS} from './charge-orders.js';
import {allOrders, eventTypes, open, sqliteTarget, T} from './store.js';

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.remove());

type Step =
  | {kind: 'create'; portNo: number; number: number}
  | {kind: 'input'; number: number; input: orders.ChargeInput}
  | {kind: 'tick'}
  | {kind: 'send'; number: number}
  | {kind: 'port'; portNo: number; status: orders.PortStatus}
  | {kind: 'progress'; number: number};

const PORTS = 2;
const anyPort = fc.integer({min: 1, max: PORTS});
const anyNumber = fc.integer({min: 0, max: 5});
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {weight: 3, arbitrary: fc.record({kind: fc.constant('create' as const), portNo: anyPort, number: anyNumber})},
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('input' as const),
      number: anyNumber,
      input: fc.constantFrom(...Object.values(INPUTS)),
    }),
  },
  {weight: 2, arbitrary: fc.record({kind: fc.constant('tick' as const)})},
  {weight: 2, arbitrary: fc.record({kind: fc.constant('send' as const), number: anyNumber})},
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('port' as const),
      portNo: anyPort,
      status: fc.constantFrom<orders.PortStatus>('free', 'charging', 'fault', 'occupied'),
    }),
  },
  {weight: 1, arbitrary: fc.record({kind: fc.constant('progress' as const), number: anyNumber})},
);
const anyRound = fc.record({pause: fc.integer({min: 0, max: 40_000}), steps: fc.array(anyStep, {maxLength: 6})});
const anyWalk = fc.array(anyRound, {maxLength: 12});

/** One walk over a device of its own, the steps of a round all at once. */
class Walk {
  readonly deviceId: string;
  #at = T;

  constructor(
    readonly store: Store,
    readonly name: string,
  ) {
    this.deviceId = `D-${name}`;
  }

  async round({pause, steps}: {pause: number; steps: Step[]}): Promise<void> {
    this.#at += pause;
    await Promise.all(steps.map((step) => this.#take(step)));
  }

  async #take(step: Step): Promise<unknown> {
    const {store, deviceId} = this;
    const at = this.#at;
    const orderNo = 'number' in step ? `${this.name}-${step.number}` : '';
    switch (step.kind) {
      case 'create':
        return store.run(orders.createCharge, charge(orderNo, {deviceId, portNo: step.portNo, at}));
      case 'input': {
        const figures = step.input.kind === 'ended' ? FIGURES : undefined;
        return store.run(orders.applyCharge, {orderNo, input: step.input, figures, at});
      }
      case 'send':
        return store.run(claimForSending, {deviceId, at, owner: 'x', until: at + 30_000});
      case 'port':
        return store.run(orders.notePort, {deviceId, portNo: step.portNo, status: step.status, raw: null, at});
      case 'progress':
        return store.run(orders.noteProgress, {all: [{orderNo, told: {watts: 1, ...FIGURES}, at}]});
      case 'tick':
        return this.#tick();
    }
  }

  async #tick(): Promise<void> {
    for (const {order_no: orderNo} of await this.orders()) {
      await this.store.run(orders.applyCharge, {orderNo, input: {kind: 'tick'}, at: this.#at});
    }
  }

  async orders() {
    return (await this.store.read(allOrders)).filter(({device_id: deviceId}) => deviceId === this.deviceId);
  }

  /** Whatever has happened, nothing is held twice, and nothing for nobody that the port itself does not say. */
  async check(): Promise<void> {
    const active = (await this.orders()).filter(({due_at: dueAt}) => dueAt !== null);
    for (const {state} of active) expect(orders.isActiveCharge(state as orders.ChargeState)).toBe(true);
    expect(new Set(active.map(({port_no: portNo}) => portNo)).size).toBe(active.length);
    const ports = await this.store.read(orders.portsOfDevice, {deviceId: this.deviceId});
    for (const {port_no: portNo, status} of ports) {
      // What the order of a port does is what the port was told to be; it is never free for the next one meanwhile.
      if (active.some((order) => order.port_no === portNo)) expect(status).not.toBe(0);
    }
  }

  /** The device's ports become free and every order comes to its end: the ports can be used again. */
  async end(): Promise<void> {
    for (let round = 0; round < 4; round += 1) {
      this.#at += 16 * 3_600_000;
      await this.#tick();
    }
    const all = await this.orders();
    expect(all.filter(({due_at: dueAt}) => dueAt !== null)).toEqual([]);
    for (const {order_no: orderNo} of all) {
      const types = await eventTypes(this.store, orderNo);
      const ends = types.filter((type) => /^order\.(completed|failed|stopped|cancelled|timeout)$/.test(type));
      expect(ends).toHaveLength(1);
    }
    const {deviceId} = this;
    for (let portNo = 1; portNo <= PORTS; portNo += 1) {
      await this.store.run(orders.notePort, {deviceId, portNo, status: 'free', raw: null, at: this.#at});
      const next = charge(`${this.name}-next-${portNo}`, {deviceId, portNo, at: this.#at + 1});
      expect((await this.store.run(orders.createCharge, next)).outcome).toBe('created');
    }
  }
}

describe.each([
  ['sqlite', 60],
  ['postgres', 25],
] as const)('whatever comes at once on %s', (engine, numRuns) => {
  it('no port is held twice, or for nobody, and every order has one end', async () => {
    const store = await open(engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()});
    let walks = 0;
    await fc.assert(
      fc.asyncProperty(anyWalk, async (rounds) => {
        walks += 1;
        const walk = new Walk(store, `W${walks}`);
        for (const round of rounds) {
          await walk.round(round);
          await walk.check();
        }
        await walk.end();
      }),
      {numRuns},
    );
  }, 120_000);

  it('frees a port with the end of its order when the port has said nothing', async () => {
    const store = await open(engine === 'sqlite' ? sqliteTarget() : {engine, dsn: await postgres.newDatabase()});
    let walks = 0;
    const silent = anyWalk.map((rounds) =>
      rounds.map(({pause, steps}) => ({pause, steps: steps.filter(({kind}) => kind !== 'port')})),
    );
    await fc.assert(
      fc.asyncProperty(silent, async (rounds) => {
        walks += 1;
        const walk = new Walk(store, `S${walks}`);
        for (const round of rounds) {
          await walk.round(round);
          const held = (await walk.orders()).filter(({due_at: dueAt}) => dueAt !== null);
          const ports = await store.read(orders.portsOfDevice, {deviceId: walk.deviceId});
          expect(ports.filter(({status}) => status !== 0).map(({port_no: portNo}) => portNo)).toEqual(
            held.map(({port_no: portNo}) => portNo).sort(),
          );
        }
      }),
      {numRuns},
    );
  }, 120_000);
});
