import type {MessageDefinition} from '../registry/index.js';

/** Messages that are handled one after another: one connection's. */
export interface Lane {
  /** Handles a message; must not throw or reject. */
  handle(definition: MessageDefinition, message: unknown): void | Promise<void>;
  /** There is room again after `submit` answered `false`. */
  roomAgain(): void;
  /** The lane's waiting messages; belongs to the dispatcher. */
  waiting: Waiting[] | undefined;
  /** Whether one of its messages is being handled; belongs to the dispatcher. */
  handling: boolean;
}

interface Waiting {
  definition: MessageDefinition;
  message: unknown;
}

export interface DispatcherLimits {
  /** Messages handled at once, over all lanes. */
  workers: number;
  /** Messages waiting, over all lanes. */
  queue: number;
}

/** One lane may not fill the queue of all. */
const LANE_WAITING = 64;

/**
 * Bounds the handlers that run at once and the messages that wait for one. A handler that returns without a promise
 * costs nothing here. When the queue is full, `submit` answers `false`: the lane stops reading (the message just given
 * is kept), and nothing is dropped.
 */
export class Dispatcher {
  readonly #limits: DispatcherLimits;
  /** Lanes that have waiting messages and none in work, in turn. */
  readonly #ready: Lane[] = [];
  /** Lanes that were told to stop. */
  #stopped = new Set<Lane>();
  #running = 0;
  #waiting = 0;
  #onIdle: (() => void) | undefined;

  constructor(limits: DispatcherLimits) {
    this.#limits = limits;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Handles or keeps a message; `false` asks the lane to stop reading until `roomAgain`. */
  submit(lane: Lane, definition: MessageDefinition, message: unknown): boolean {
    if (!lane.handling && this.#running < this.#limits.workers && (lane.waiting?.length ?? 0) === 0) {
      this.#run(lane, definition, message);
      return true;
    }
    lane.waiting ??= [];
    lane.waiting.push({definition, message});
    this.#waiting++;
    if (!lane.handling && lane.waiting.length === 1) this.#ready.push(lane);
    if (this.#waiting < this.#limits.queue && lane.waiting.length < LANE_WAITING) return true;
    this.#stopped.add(lane);
    return false;
  }

  /** Forgets a lane's waiting messages: its connection has ended. */
  drop(lane: Lane): void {
    const waiting = lane.waiting?.length ?? 0;
    this.#stopped.delete(lane);
    if (waiting === 0) return;
    lane.waiting = undefined;
    this.#waiting -= waiting;
    const at = this.#ready.indexOf(lane);
    if (at >= 0) this.#ready.splice(at, 1);
    this.#wakeStopped();
  }

  /** Resolves when no handler runs any more, or after `ms`. */
  idle(ms: number): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #run(lane: Lane, definition: MessageDefinition, message: unknown): void {
    const work = lane.handle(definition, message);
    if (work === undefined) return;
    lane.handling = true;
    this.#running++;
    // `handle` never rejects: both ways lead to the same place.
    const done = (): void => this.#finished(lane);
    work.then(done, done);
  }

  #finished(lane: Lane): void {
    lane.handling = false;
    this.#running--;
    if ((lane.waiting?.length ?? 0) > 0) this.#ready.push(lane);
    this.#work();
    this.#wakeStopped();
    if (this.#running === 0) this.#onIdle?.();
  }

  #work(): void {
    while (this.#running < this.#limits.workers) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      const next = lane.waiting?.shift();
      if (next === undefined) continue;
      this.#waiting--;
      this.#run(lane, next.definition, next.message);
      if (!lane.handling && (lane.waiting?.length ?? 0) > 0) this.#ready.push(lane);
    }
  }

  #wakeStopped(): void {
    if (this.#stopped.size === 0 || this.#waiting >= this.#limits.queue) return;
    for (const lane of this.#stopped) {
      if ((lane.waiting?.length ?? 0) >= LANE_WAITING) continue;
      this.#stopped.delete(lane);
      lane.roomAgain();
      if (this.#waiting >= this.#limits.queue) return;
    }
  }
}
