import {setImmediate} from 'node:timers/promises';
import {memoryIdempotency} from '../../src/lib/cluster/index.js';
import {PaynetError} from '../../src/lib/errors.js';
import {
  CoinDesk,
  type CoinOrder,
  type CoinOrderEvent,
  type CoinPort,
  type CoinRequest,
  type Report,
} from '../../src/lib/orders/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';

type Answer = Awaited<ReturnType<CoinPort['query']>>;

/** A desk over a port whose every answer the test decides, on a wheel that the test turns. */
export class Bench {
  readonly wheel = new DeadlineWheel();
  readonly events: CoinOrderEvent[] = [];
  readonly written: CoinOrder[] = [];
  readonly asked: CoinOrder[] = [];
  readonly claims = memoryIdempotency();
  online = true;
  /** What the device says when asked. */
  answer: () => Answer | Promise<Answer> = () => ({found: false});
  /** Done before a command is written. */
  beforeWrite: (order: CoinOrder) => void | Promise<void> = () => {};
  desk = this.newDesk();

  /** As after a restart of the server: the claims are still there, the orders are not. */
  newDesk(): CoinDesk {
    const port: CoinPort = {
      claim: (orderId, content) => this.claims.claim(orderId, content),
      coin: async (order) => {
        await this.beforeWrite(order);
        this.#mustBeOnline();
        this.written.push(order);
      },
      query: async (order) => {
        this.#mustBeOnline();
        this.asked.push(order);
        return this.answer();
      },
    };
    this.desk = new CoinDesk(port, this.wheel, (event) => this.events.push(event));
    return this.desk;
  }

  /** Turns the wheel, a second at a time, and lets everything that follows happen. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      this.wheel.advance(1000);
      await setImmediate();
    }
  }

  report(state: Report['state'], progress = 0, error = ''): void {
    this.desk.reported('d-1', 'o-1', {state, progress, error});
  }

  get kinds(): string[] {
    return this.events.map(({kind, order}) => `${kind} ${order.state}`);
  }

  #mustBeOnline(): void {
    if (!this.online) throw new PaynetError('DEVICE_OFFLINE', 'the device is not online');
  }
}

export const REQUEST: CoinRequest = {deviceId: 'd-1', orderId: 'o-1', coins: 5, timeoutSeconds: 60};

/** Lets every promise that can settle now do so. */
export const settled = (): Promise<void> => setImmediate();
