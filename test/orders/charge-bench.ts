import {setImmediate} from 'node:timers/promises';
import {onTestFinished} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {type ChargeNews, ChargeOrders, type ChargeRequest, type PortStatus} from '../../src/lib/orders/index.js';
import {claimForSending, commandDone, waitingOfDevice} from '../../src/lib/outbound/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import type {CommandRow, Store, StoreTarget} from '../../src/lib/store/index.js';
import {open, sqliteTarget, T} from './store.js';

export const REQUEST: ChargeRequest = {
  orderNo: 'A',
  deviceId: 'D1',
  portNo: 1,
  mode: {by: 'time', seconds: 3600},
  amountCent: 300,
};

type Mismatch = 'charging_without_order' | 'free_while_charging' | 'not_charging';

/** Charging orders over a real store, with devices that say what the test says, in a time that the test makes. */
export class ChargeBench {
  readonly news: ChargeNews[] = [];
  readonly warnings: object[] = [];
  readonly counted: string[] = [];
  readonly online = new Set(['D1']);
  unsupported = new Set<string>();
  /** Devices for which a command was stored. */
  readonly woken: string[] = [];
  waitingCommands = 0;
  /** So many reads fail, as while the database is away. */
  failingReads = 0;
  now = T;

  private constructor(
    readonly target: StoreTarget,
    public store: Store,
    public wheel = new DeadlineWheel(),
    public orders = undefined as unknown as ChargeOrders,
  ) {}

  /** Starts with D1 online and port 1 known to be free. */
  static async start(): Promise<ChargeBench> {
    const target = sqliteTarget();
    const bench = new ChargeBench(target, await open(target));
    bench.#begin();
    onTestFinished(() => bench.orders.stop());
    await bench.comes();
    return bench;
  }

  #begin(): void {
    this.wheel = new DeadlineWheel();
    const count = (label: string): void => {
      this.counted.push(label);
    };
    this.orders = new ChargeOrders({
      store: this.#failing(this.store),
      wheel: this.wheel,
      tell: (news) => this.news.push(news),
      commandStored: (deviceId) => this.woken.push(deviceId),
      waitingCommands: () => this.waitingCommands,
      log: {warn: (fields) => this.warnings.push(fields)},
      counters: {inconsistencies: {count}, mismatches: {count: (label: Mismatch) => count(label)}},
      now: () => this.now,
      port: {
        isOnline: (deviceId) => this.online.has(deviceId),
        supports: (_, kind) => !this.unsupported.has(kind),
      },
    });
    this.orders.start();
  }

  #failing(store: Store): Store {
    const read: Store['read'] = async (...query) => {
      if (this.failingReads <= 0) return store.read(...query);
      this.failingReads -= 1;
      throw new PaynetError('STORE_UNAVAILABLE', 'the database is away');
    };
    const {engine, broken} = store;
    return {
      engine,
      broken,
      ready: true,
      figures: store.figures,
      run: (...operation) => store.run(...operation),
      read,
      readFirst: async (...query) => (await read(...query))[0],
      close: () => store.close(),
    };
  }

  /** As after a crash: what was in memory is gone, what was stored is there. */
  async restart({after = 0}: {after?: number} = {}): Promise<void> {
    this.online.clear();
    await this.orders.stop();
    await this.store.close();
    this.now += after * 1000;
    this.store = await open(this.target);
    this.#begin();
  }

  comes(deviceId = 'D1'): Promise<void> {
    this.online.add(deviceId);
    this.orders.online(deviceId);
    return this.settled();
  }

  goes(deviceId = 'D1'): Promise<void> {
    this.online.delete(deviceId);
    this.orders.offline(deviceId);
    return this.settled();
  }

  /** What waits for D1 is written to it, as a dispatcher does; answers it in its order. */
  async sends(): Promise<CommandRow[]> {
    const sent: CommandRow[] = [];
    for (;;) {
      const waiting = await this.store.read(waitingOfDevice, {deviceId: 'D1', limit: 9});
      if (waiting.length === 0) return sent;
      for (const {device_id: deviceId} of waiting) {
        const until = this.now + 30_000;
        const claimed = await this.store.run(claimForSending, {deviceId, at: this.now, owner: 'dispatcher', until});
        if (claimed === undefined) return sent;
        sent.push(claimed);
      }
    }
  }

  /** Takes a sent command off the queue. */
  done = (id: string): Promise<boolean> => this.store.run(commandDone, {id, at: this.now});

  /** Orders, sends and acknowledges. */
  async charges(more: Partial<ChargeRequest> = {}): Promise<void> {
    const {order} = await this.orders.create({...REQUEST, ...more});
    await this.sends();
    await this.orders.startAcked('D1', order.orderNo, {success: true, charging: true, error: ''});
  }

  says(status: PortStatus, portNo = 1): Promise<void> {
    return this.orders.portStatus('D1', portNo, status, null);
  }

  /** Lets everything happen that can happen now, until three rounds in a row have brought nothing. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#count;
      // The store answers in the order of the calls: this one after everything that was asked for before.
      await this.store.run(commandDone, {id: 'nobody', at: this.now});
      await setImmediate();
      quiet = this.#count === before + 1 ? quiet + 1 : 0;
    }
  }

  get #count(): number {
    return this.store.figures.operations + this.news.length;
  }

  /** Turns the wheel, a second at a time, and lets everything that follows happen. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.now += 1000;
      this.wheel.advance(1000);
      await this.settled();
    }
  }

  /** Moves the time on; for a long time most of it as one pause of the process, and what follows a pause after it. */
  async skip(seconds: number): Promise<void> {
    const pause = Math.max(0, seconds - 40);
    if (pause > 0) await this.#step(pause);
    for (let left = seconds - pause; left > 0; left -= 4) await this.#step(Math.min(left, 4));
  }

  async #step(seconds: number): Promise<void> {
    this.now += seconds * 1000;
    this.wheel.advance(1000);
    await this.settled();
  }

  async state(orderNo = 'A'): Promise<string | undefined> {
    return (await this.orders.get(orderNo))?.state;
  }

  get kinds(): string[] {
    return this.news.map(({kind, order}) => `${kind} ${order.state}`);
  }
}
