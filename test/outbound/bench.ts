import {setImmediate} from 'node:timers/promises';
import {onTestFinished} from 'vitest';
import {PaynetError} from '../../src/lib/errors.js';
import {
  commandById,
  type Dispatcher,
  enqueueCommand,
  type NewCommand,
  OUTBOUND_OPERATIONS,
  type OutboundCommand,
  startDispatcher,
} from '../../src/lib/outbound/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {type Operation, openStore, type Store, type StoreTarget} from '../../src/lib/store/index.js';
import {sqliteTarget, T} from '../orders/store.js';

const OPERATIONS = [OUTBOUND_OPERATIONS, new URL('./operations.ts', import.meta.url)];

export async function openQueue(target: StoreTarget): Promise<Store> {
  const log = {info: () => {}, warn: () => {}, error: () => {}};
  const store = await openStore(target, {operations: OPERATIONS, log});
  onTestFinished(() => store.close());
  return store;
}

interface Written {
  readonly command: OutboundCommand;
  readonly at: number;
  readonly signal: AbortSignal;
  ack(): void;
  fail(error: Error): void;
}

/** A dispatcher over a real store, with devices whose every ack the test decides, in a time that the test makes. */
export class QueueBench {
  readonly written: Written[] = [];
  readonly ended: string[] = [];
  readonly endedCommands: OutboundCommand[] = [];
  readonly silent: string[] = [];
  readonly counted: string[] = [];
  readonly warnings: string[] = [];
  readonly online = new Set(['D1', 'D2']);
  readonly gaps = new Map<string, number>();
  /** Done when a command is written, before anybody acknowledges it. */
  onWrite: (written: Written) => void = () => {};
  onEnded: () => void = () => {};
  /** Done before a write of the store is asked for, and before its answer is given. */
  before: (operation: string) => unknown = () => undefined;
  after: (operation: string) => unknown = () => undefined;
  wheel = new DeadlineWheel();
  dispatcher = undefined as unknown as Dispatcher;
  #starts = 0;
  #calls = 0;
  #open = 0;
  #stored = 0;

  private constructor(
    readonly target: StoreTarget,
    public store: Store,
    public now: number,
  ) {}

  static async start(target: StoreTarget = sqliteTarget(), now = T): Promise<QueueBench> {
    const bench = new QueueBench(target, await openQueue(target), now);
    await bench.begin();
    return bench;
  }

  async begin(): Promise<void> {
    this.#starts += 1;
    this.wheel = new DeadlineWheel();
    const {wheel} = this;
    const dispatcher = startDispatcher({
      store: this.#probed(this.store),
      wheel,
      owner: `server-${this.#starts}`,
      log: {warn: (_, message) => this.warnings.push(message)},
      now: () => this.now,
      ended: (command, outcome, error) => {
        this.ended.push(`${command.id} ${outcome}${error === undefined ? '' : `: ${error}`}`);
        this.endedCommands.push(command);
        this.onEnded();
      },
      ackTimedOut: (deviceId) => this.silent.push(deviceId),
      counters: {
        ackTimeouts: {count: () => this.counted.push('ack timeout')},
        results: {count: (label) => this.counted.push(label)},
      },
      port: {
        isOnline: (deviceId) => this.online.has(deviceId),
        gapMs: (deviceId) => this.gaps.get(deviceId) ?? 0,
        send: (command, signal) =>
          new Promise((resolve, reject) => {
            const one = {command, at: this.now, signal, ack: resolve, fail: reject};
            this.written.push(one);
            this.#calls += 1;
            this.onWrite(one);
          }),
      },
    });
    this.dispatcher = dispatcher;
    onTestFinished(async () => {
      const stopped = dispatcher.stop();
      wheel.advance(3000);
      await stopped;
    });
    await this.settled();
  }

  /** As after a kill: what was in memory is gone, what was stored is there. */
  async restart(): Promise<void> {
    this.online.clear();
    await this.store.close();
    this.store = await openQueue(this.target);
    await this.begin();
  }

  /** Stores a command, and says so. */
  async enqueue(id: string, more: Partial<NewCommand> = {}): Promise<void> {
    const command = this.command(id, more);
    await this.store.run(enqueueCommand, command);
    this.dispatcher.commandStored(command.deviceId);
  }

  /** The same, until everything that follows has happened. */
  async send(id: string, more: Partial<NewCommand> = {}): Promise<void> {
    await this.enqueue(id, more);
    await this.settled();
  }

  command(id: string, more: Partial<NewCommand> = {}): NewCommand {
    this.#stored += 1;
    const what = {kind: 'stopCharge', payload: {port: 1}, priority: 1, expiresAt: null};
    return {id, deviceId: 'D1', orderNo: null, ...what, at: T + this.#stored, ...more};
  }

  async ack(): Promise<void> {
    this.written.at(-1)?.ack();
    await this.settled();
  }

  async fail(code: string): Promise<void> {
    this.written.at(-1)?.fail(code === 'RangeError' ? new RangeError('too large') : new PaynetError(code, 'told so'));
    await this.settled();
  }

  async comes(deviceId = 'D1'): Promise<void> {
    this.online.add(deviceId);
    this.dispatcher.online(deviceId);
    await this.settled();
  }

  async leaves(deviceId = 'D1'): Promise<void> {
    this.online.delete(deviceId);
    this.dispatcher.offline(deviceId);
    await this.settled();
  }

  /** Turns the wheel, a second at a time, and lets everything that follows happen. */
  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      this.now += 1000;
      this.wheel.advance(1000);
      await this.settled();
    }
  }

  /** Lets everything happen that can happen now: the store is not asked any more, three rounds long. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      const before = this.#calls;
      await setImmediate();
      quiet = this.#open === 0 && this.#calls === before ? quiet + 1 : 0;
    }
  }

  async stored(id: string): Promise<[string, number] | undefined> {
    const row = await this.store.readFirst(commandById, {id});
    return row && [row.state, row.attempts];
  }

  get ids(): string[] {
    return this.written.map(({command}) => command.id);
  }

  /** The store, as it is; it is seen when something is asked of it. */
  #probed(store: Store): Store {
    const watch = async <R>(work: () => Promise<R>): Promise<R> => {
      this.#calls += 1;
      this.#open += 1;
      try {
        return await work();
      } finally {
        this.#open -= 1;
      }
    };
    return {
      engine: store.engine,
      ready: store.ready,
      broken: store.broken,
      figures: store.figures,
      run: <A, R>(operation: Operation<A, R>, args: A) =>
        watch(async () => {
          await this.before(operation.name);
          const result = await store.run(operation, args);
          await this.after(operation.name);
          return result;
        }),
      read: (query, ...params) => watch(() => store.read(query, ...params)),
      readFirst: (query, ...params) => watch(() => store.readFirst(query, ...params)),
      close: () => store.close(),
    };
  }
}
