import {setImmediate} from 'node:timers/promises';
import {onTestFinished} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {
  type CoinNews,
  type CoinOrderRequest,
  CoinOrders,
  type CoinOrdersPort,
  type CoinRecord,
  type Report,
} from '../../src/lib/orders/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import type {Store, StoreTarget} from '../../src/lib/store/index.js';
import {open, sqliteTarget, T} from './store.js';

type Answer = Awaited<ReturnType<CoinOrdersPort['query']>>;

export const REQUEST: CoinOrderRequest = {deviceId: 'D1', orderNo: 'A', coins: 5, timeoutSeconds: 60};

/** Durable orders over a real store, with devices whose every answer the test decides, in a time that the test makes. */
export class CoinBench {
  readonly written: CoinRecord[] = [];
  readonly asked: string[] = [];
  readonly news: CoinNews[] = [];
  readonly warnings: object[] = [];
  readonly online = new Set(['D1']);
  /** What a device says when asked. */
  answer: (order: CoinRecord) => Answer | Promise<Answer> = () => ({found: false});
  /** Done before a command is written. */
  beforeWrite: (order: CoinRecord) => void | Promise<void> = () => {};
  now = T;
  #starts = 0;

  private constructor(
    readonly target: StoreTarget,
    public store: Store,
    public wheel = new DeadlineWheel(),
    public orders = undefined as unknown as CoinOrders,
  ) {}

  static async start(): Promise<CoinBench> {
    const target = sqliteTarget();
    const bench = new CoinBench(target, await open(target));
    bench.#begin();
    onTestFinished(() => bench.orders.stop());
    return bench;
  }

  #begin(): void {
    this.#starts += 1;
    this.wheel = new DeadlineWheel();
    const wheel = this.wheel;
    const mustBeOnline = ({deviceId}: CoinRecord): void => {
      if (!this.online.has(deviceId)) throw new PaynetError('DEVICE_OFFLINE', 'the device is not online');
    };
    this.orders = new CoinOrders({
      store: this.store,
      wheel,
      owner: `server-${this.#starts}`,
      tell: (news) => this.news.push(news),
      log: {warn: (fields) => this.warnings.push(fields)},
      now: () => this.now,
      port: {
        isOnline: (deviceId) => this.online.has(deviceId),
        coin: async (order) => {
          await this.beforeWrite(order);
          mustBeOnline(order);
          this.written.push(order);
        },
        query: async (order) => {
          mustBeOnline(order);
          this.asked.push(order.orderNo);
          return this.answer(order);
        },
      },
    });
    this.orders.start();
  }

  /** As after a crash: what was in memory is gone, what was stored is there. */
  async restart(): Promise<void> {
    this.online.clear();
    await this.orders.stop();
    await this.store.close();
    this.store = await open(this.target);
    this.#begin();
  }

  /** A device connects. */
  comes(deviceId = 'D1'): Promise<void> {
    this.online.add(deviceId);
    this.orders.online(deviceId);
    return this.settled();
  }

  report(state: Report['state'], orderNo = 'A', progress = 0): Promise<void> {
    return this.orders.reported('D1', orderNo, {state, progress, error: state === 'failed' ? 'jam' : ''});
  }

  /** Lets everything happen that can happen now, until three rounds in a row have brought nothing. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#count;
      // The store answers in the order of the calls: this one after everything that was asked for before.
      await this.orders.cancel('nobody').catch(() => undefined);
      await setImmediate();
      quiet = this.#count === before + 1 ? quiet + 1 : 0;
    }
  }

  get #count(): number {
    return this.store.figures.operations + this.written.length + this.asked.length;
  }

  /** Turns the wheel, a second at a time, and lets everything that follows happen. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.now += 1000;
      this.wheel.advance(1000);
      await this.settled();
    }
  }

  async state(orderNo = 'A'): Promise<string | undefined> {
    return (await this.orders.get(orderNo))?.state;
  }

  get sent(): string[] {
    return this.written.map(({orderNo}) => orderNo);
  }

  get kinds(): string[] {
    return this.news.map(({kind, order}) => `${kind} ${order.state}`);
  }
}
