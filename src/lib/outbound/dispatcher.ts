import {Alarm} from '../session/index.js';
import type {CommandRow, CommandState} from '../store/index.js';
import {attempt, type Verdict} from './attempt.js';
import {cleanAll, hasManyDead} from './cleaning.js';
import {Lane} from './lane.js';
import {pause, reasonOf, untilStored} from './noting.js';
import {claimForSending, commandDone, commandFailed, dismissDead, handBack, NOT_SENT, retryDead} from './operations.js';
import type {CommandOutcome, Dispatcher, DispatcherOptions} from './port.js';
import {commandById, dueOfDevice} from './queries.js';
import {QueueLength} from './queue-length.js';
import {type OutboundCommand, outboundCommandOf} from './record.js';
import {Sweep} from './sweep.js';

/** An attempt must begin within this after it was noted, so that its 10 s for the ack end within 30 s. */
const BEGIN_WITHIN_MS = 20_000;
/** Longer than any attempt: nobody takes over what is still under way. */
const LEASE_MS = 45_000;
const SWEEP_MS = 1000;
const RECOUNT_SWEEPS = 10;
const CLEAN_MS = 3_600_000;
const STOP_MS = 3000;

/** Begins to send what waits. Devices that are online already are found within a second. */
export function startDispatcher(options: DispatcherOptions): Dispatcher {
  return new QueueDispatcher(options);
}

/**
 * The store is the queue. What is here only makes it fast: a lane for each device that something is to be sent to, and
 * none for any other.
 */
class QueueDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #inFlight = new Set<string>();
  readonly #length = new QueueLength();
  readonly #working = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  readonly #sweep: Sweep;
  readonly #sweepAlarm = new Alarm(() => this.#work(this.#lookAround()));
  readonly #cleanAlarm = new Alarm(() => this.#work(this.#keepClean()));
  #sweeps = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Math.round(performance.timeOrigin + performance.now()));
    this.#sweep = new Sweep({
      store: options.store,
      length: this.#length,
      isInFlight: (id) => this.#inFlight.has(id),
      isOnline: (deviceId) => options.port.isOnline(deviceId),
      wake: (deviceId) => this.#wake(deviceId, Number.POSITIVE_INFINITY),
      end: (...end) => this.#end(...end),
    });
    this.#work(this.#lookAround());
    options.wheel.schedule(this.#cleanAlarm, CLEAN_MS);
  }

  get waiting(): number {
    return this.#length.value;
  }

  commandStored(deviceId: string): void {
    this.#length.add(1);
    this.#wake(deviceId, 1);
  }

  online(deviceId: string): void {
    this.#wake(deviceId, Number.POSITIVE_INFINITY);
  }

  offline(deviceId: string): void {
    if (!this.#options.port.isOnline(deviceId)) this.#lanes.get(deviceId)?.disconnect();
  }

  async retry(id: string): Promise<'waiting' | 'unknown' | 'order over'> {
    const {store} = this.#options;
    const result = await store.run(retryDead, {id, at: this.#now()});
    const command = result === 'waiting' ? await store.readFirst(commandById, {id}) : undefined;
    if (command !== undefined) this.commandStored(command.device_id);
    return result;
  }

  dismiss(id: string): Promise<boolean> {
    return this.#options.store.run(dismissDead, {id, at: this.#now()});
  }

  clean(): Promise<number> {
    return cleanAll(this.#options.store, this.#now(), () => this.#isClosed);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  async #leave(): Promise<void> {
    const {wheel} = this.#options;
    this.#closing.abort();
    wheel.cancel(this.#sweepAlarm);
    wheel.cancel(this.#cleanAlarm);
    const limit = new Alarm(() => {
      for (const lane of this.#lanes.values()) lane.leave();
    });
    wheel.schedule(limit, STOP_MS);
    while (this.#working.size > 0) await Promise.all(this.#working);
    wheel.cancel(limit);
  }

  get #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  #wake(deviceId: string, count: number): void {
    if (this.#isClosed || !this.#options.port.isOnline(deviceId)) return;
    const known = this.#lanes.get(deviceId);
    if (known !== undefined) {
      known.expected += count;
      return;
    }
    const lane = new Lane(deviceId, count);
    this.#lanes.set(deviceId, lane);
    this.#work(this.#serve(lane));
  }

  /** One command after the other until none is left. A failure is tried again by the sweep. */
  async #serve(lane: Lane): Promise<void> {
    const {deviceId} = lane;
    try {
      while (lane.expected > 0 && !this.#isClosed && this.#options.port.isOnline(deviceId)) {
        if (await this.#isIdle(lane)) continue;
        const at = this.#now();
        const lease = {owner: this.#options.owner, until: at + LEASE_MS};
        const row = await this.#options.store.run(claimForSending, {deviceId, at, ...lease});
        if (row !== undefined) await this.#take(lane, row, at);
      }
    } finally {
      this.#lanes.delete(deviceId);
    }
  }

  /** Whether nothing is due after all. What is stored while the store is asked is expected anew. */
  async #isIdle(lane: Lane): Promise<boolean> {
    if (lane.expected !== Number.POSITIVE_INFINITY) {
      lane.expected -= 1;
      return false;
    }
    lane.expected = 0;
    const {deviceId} = lane;
    if ((await this.#options.store.readFirst(dueOfDevice, {deviceId, at: this.#now()})) === undefined) return true;
    lane.expected = Number.POSITIVE_INFINITY;
    return false;
  }

  async #take(lane: Lane, row: CommandRow, claimedAt: number): Promise<void> {
    this.#length.add(-1);
    this.#inFlight.add(row.id);
    try {
      const command = outboundCommandOf(row);
      if (this.#mayBegin(command, claimedAt)) await this.#send(lane, command);
      else await this.#giveBack(lane, command);
    } finally {
      this.#inFlight.delete(row.id);
    }
  }

  /** The process may have stood still since the claim: nothing is written under an old lease, nor after its time. */
  #mayBegin({deviceId, expiresAt}: OutboundCommand, claimedAt: number): boolean {
    const now = this.#now();
    if (this.#isClosed || !this.#options.port.isOnline(deviceId)) return false;
    return now - claimedAt < BEGIN_WITHIN_MS && (expiresAt === null || now < expiresAt);
  }

  async #giveBack(lane: Lane, command: OutboundCommand): Promise<void> {
    const {store, owner} = this.#options;
    const {id} = command;
    const state = await this.#stored(id, () => store.run(handBack, {id, owner, at: this.#now()}));
    if (state === 'waiting') this.#length.add(1);
    if (state === 'expired') this.#end({...command, attempts: command.attempts - 1}, 'expired', NOT_SENT);
    lane.expected = Number.POSITIVE_INFINITY;
  }

  async #send(lane: Lane, command: OutboundCommand): Promise<void> {
    const {port, wheel} = this.#options;
    lane.controller = new AbortController();
    const verdict = await attempt((signal) => port.send(command, signal), wheel, lane.controller);
    lane.controller = undefined;
    await this.#settle(command, verdict);
    const gap = port.gapMs?.(lane.deviceId) ?? 0;
    if (gap > 0) await pause(wheel, gap, this.#closing.signal);
  }

  async #settle(command: OutboundCommand, verdict: Verdict): Promise<void> {
    if (verdict.kind === 'left') return;
    if (verdict.kind === 'done') return this.#answered(command, 'done');
    if (verdict.kind === 'refused') return this.#answered(command, 'refused', verdict.error);
    const {store, owner, counters, log, ackTimedOut} = this.#options;
    const {id, deviceId} = command;
    const {error, kind} = verdict;
    if (kind === 'silent') {
      counters?.ackTimeouts.count();
      this.#tell(id, () => ackTimedOut?.(deviceId));
    }
    const failed = {id, owner, error, final: kind === 'impossible'};
    const state = await this.#stored(id, () => store.run(commandFailed, {...failed, at: this.#now()}));
    if (state === 'waiting') {
      this.#length.add(1);
      counters?.results.count('retry');
    }
    if (state === 'dead') log.warn({id, deviceId, kind: command.kind, reason: error}, 'a command was given up');
    if (state === 'dead' || state === 'expired') this.#end(command, state, error);
  }

  async #answered(command: OutboundCommand, outcome: 'done' | 'refused', error?: string): Promise<void> {
    const {id} = command;
    const answer = error === undefined ? {id} : {id, error};
    const note = async () =>
      (await this.#options.store.run(commandDone, {...answer, at: this.#now()})) ? 'done' : undefined;
    if ((await this.#stored(id, note)) === 'done') this.#end(command, outcome, error);
  }

  #stored(id: string, write: () => Promise<CommandState | undefined>): Promise<CommandState | undefined> {
    const {store, wheel} = this.#options;
    const complain = (error: unknown): void => this.#complain(error);
    return untilStored({store, wheel, signal: this.#closing.signal, complain}, id, write);
  }

  #end(command: OutboundCommand, outcome: CommandOutcome, error?: string): void {
    this.#options.counters?.results.count(outcome);
    this.#tell(command.id, () => this.#options.ended(command, outcome, error));
  }

  /** What the listener makes of it is not the queue's business. */
  #tell(id: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log.warn({id, ...reasonOf(error)}, 'what became of a command could not be told');
    }
  }

  async #lookAround(): Promise<void> {
    const {store, wheel} = this.#options;
    try {
      if (this.#sweeps % RECOUNT_SWEEPS === 0) await this.#length.recount(store);
      this.#sweeps += 1;
      await this.#sweep.look(this.#now());
    } finally {
      if (!this.#isClosed) wheel.schedule(this.#sweepAlarm, SWEEP_MS);
    }
  }

  async #keepClean(): Promise<void> {
    try {
      await this.clean();
      if (await hasManyDead(this.#options.store)) {
        this.#options.log.warn({}, 'more than 1000 commands were given up and nobody has looked after them');
      }
    } finally {
      if (!this.#isClosed) this.#options.wheel.schedule(this.#cleanAlarm, CLEAN_MS);
    }
  }

  /** Work that nobody waits for, but the end. */
  #work(task: Promise<void>): void {
    const work = task.catch((error: unknown) => this.#complain(error)).finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  #complain(error: unknown): void {
    this.#options.log.warn(reasonOf(error), 'the queue of commands: the store failed');
  }
}
