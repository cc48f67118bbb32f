import {setTimeout as pause} from 'node:timers/promises';
import {codeOf, messageOf} from '../errors.js';
import type {Store, StoreLog} from '../store/index.js';
import {attempt, type Credentials, checkCredentials, type Outcome} from './attempt.js';
import {afterFailure, type Breaker, closedBreaker, isBack} from './breaker.js';
import {
  type ClaimedEvent,
  claimEvents,
  eventDead,
  eventFailed,
  eventPushed,
  hastenEvents,
  releaseEvents,
} from './operations.js';
import {nextDue} from './reading.js';
import {createSchedule, LONGEST_RETRY_AFTER_MS, nextAttempt, type Schedule} from './schedule.js';
import {openTarget, type Resolve, TARGET_WIDTH, type Target} from './target.js';

export interface EventEndpoint extends Credentials {
  readonly url: string;
  /** Who may have signed its certificate, PEM; the system's list unless given. */
  readonly ca?: string | undefined;
}

/** What is counted of attempts; the labels are pushed, failed and dead. */
export interface EventCounters {
  readonly results: {count(label: 'pushed' | 'failed' | 'dead'): void};
  /** How long an attempt took. */
  readonly seconds: {observe(seconds: number): void};
}

export interface Delivery {
  readonly eventId: string;
  readonly eventType: string;
  readonly orderNo: string | null;
  readonly deviceId: string;
  readonly sequenceNo: number | null;
  readonly result: 'pushed' | 'failed' | 'dead';
  /** This one included. */
  readonly attempts: number;
}

export interface EventSenderOptions {
  readonly store: Store;
  readonly endpoint: EventEndpoint;
  readonly allowPrivate: boolean;
  readonly allowHttp: boolean;
  readonly log: StoreLog;
  readonly counters?: EventCounters | undefined;
  /** What became of an attempt, after it was stored. */
  readonly delivered?: ((delivery: Delivery) => void) | undefined;
  /** The interface's unless given. */
  readonly schedule?: Schedule | undefined;
  /** UTC milliseconds. */
  readonly now?: (() => number) | undefined;
  readonly resolve?: Resolve | undefined;
}

export interface EventSenderStats {
  readonly pushed: number;
  readonly failed: number;
  readonly dead: number;
  /** Being posted now. */
  readonly inFlight: number;
  /** The endpoint is being spared: it has not accepted anything for a while. */
  readonly paused: boolean;
}

export interface EventSender {
  /** There may be something to send: call it after every commit that wrote events. */
  wake(): void;
  /** Lets what is being posted end (at most 5 s), gives back the rest. A second call waits for the first. */
  stop(): Promise<void>;
  readonly stats: EventSenderStats;
}

/** Taken from the store at once: what bounds memory. */
const BATCH = 64;
/** How long what was taken is nobody else's. */
const LEASE_MS = 30_000;
/** What has not been begun by then is given back: an attempt and its note must end within the lease. */
const BEGIN_WITHIN_MS = 20_000;
/** Finds what nobody was woken for. */
const POLL_MS = 10_000;
/** An endpoint that comes and goes does not make every event of a long wait be sent each time. */
const HASTEN_EVERY_MS = 60_000;
const HASTEN_PART = 500;
const NOTE_AGAIN_MS = 1000;

/**
 * Sends the events of the outbox to an endpoint: those of an order one after the other, those of different orders side
 * by side.
 * @throws PaynetError EVENT_URL, EVENT_SECRET, EVENT_API_KEY
 */
export function startEventSender(options: EventSenderOptions): EventSender {
  checkCredentials(options.endpoint);
  const {endpoint, allowPrivate, allowHttp, resolve} = options;
  const target = openTarget({url: endpoint.url, ca: endpoint.ca, allowPrivate, allowHttp, resolve});
  const sender = new Sender(options, target);
  sender.wake();
  return sender;
}

interface Note {
  readonly result: 'pushed' | 'failed' | 'dead';
  readonly write: () => Promise<void>;
}

class Sender implements EventSender {
  readonly #store: Store;
  readonly #options: EventSenderOptions;
  readonly #target: Target;
  readonly #schedule: Schedule;
  readonly #now: () => number;
  readonly #stopping = new AbortController();
  readonly #counts = {pushed: 0, failed: 0, dead: 0};
  readonly #inFlight = new Map<number, Promise<void>>();
  #queue: ClaimedEvent[] = [];
  #leaseUntil = 0;
  #beginUntil = 0;
  #breaker: Breaker = closedBreaker;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;
  #wokenAgain = false;
  /** Nothing is known of the endpoint at the start: its first yes counts as its return. */
  #unknown = true;
  #hasten = false;
  #hastenedAt = Number.NEGATIVE_INFINITY;
  #lastNow = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: EventSenderOptions, target: Target) {
    this.#store = options.store;
    this.#options = options;
    this.#target = target;
    this.#schedule = options.schedule ?? createSchedule();
    this.#now = options.now ?? Date.now;
  }

  get stats(): EventSenderStats {
    return {...this.#counts, inFlight: this.#inFlight.size, paused: this.#breaker.openUntil !== undefined};
  }

  wake(): void {
    if (this.#stopping.signal.aborted) return;
    this.#wokenAgain = true;
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
      // Woken between the last look and now.
      if (this.#wokenAgain) this.wake();
    });
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#working;
    await Promise.all(this.#inFlight.values());
    await this.#giveBack().catch((error: unknown) => this.#complain(error));
    await this.#target.close();
  }

  async #work(): Promise<void> {
    try {
      while (this.#wokenAgain && !this.#stopping.signal.aborted) {
        this.#wokenAgain = false;
        clearTimeout(this.#timer);
        const wait = await this.#turn();
        if (wait !== undefined) this.#wakeIn(wait);
      }
    } catch (error) {
      this.#wokenAgain = false;
      this.#complain(error);
      this.#wakeIn(POLL_MS);
    }
  }

  #wakeIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => this.wake(), Math.min(milliseconds, POLL_MS));
  }

  /** Begins what can begin. Answers after how many milliseconds to look again; undefined: when an attempt has ended. */
  async #turn(): Promise<number | undefined> {
    while (!this.#stopping.signal.aborted) {
      const {openUntil} = this.#breaker;
      const sparing = openUntil !== undefined;
      const steady = performance.now();
      const resting = sparing && steady < openUntil;
      if (resting || steady > this.#beginUntil) await this.#giveBack();
      if (resting) return openUntil - steady;
      const width = sparing ? 1 : TARGET_WIDTH;
      while (this.#inFlight.size < width && this.#queue.length > 0) this.#begin(this.#queue.shift() as ClaimedEvent);
      if (this.#inFlight.size >= width) return undefined;
      if (await this.#claim(sparing ? 1 : BATCH)) continue;
      if (await this.#hastenSome()) continue;
      // From the moment of the claim on: what has become due since then was not in it.
      const due = await nextDue(this.#store, this.#lastNow);
      return due === undefined ? POLL_MS : Math.max(due - this.#now(), 0);
    }
    return undefined;
  }

  async #claim(limit: number): Promise<boolean> {
    const now = this.#now();
    // The clock was set back: what was due soon would now wait as long as that.
    if (now < this.#lastNow - 1000) {
      this.#hasten = true;
      this.#hastenedAt = Number.NEGATIVE_INFINITY;
    }
    this.#lastNow = now;
    this.#beginUntil = performance.now() + BEGIN_WITHIN_MS;
    this.#leaseUntil = now + LEASE_MS;
    const events = await this.#store.run(claimEvents, {now, limit, leaseUntil: this.#leaseUntil});
    // One whose note the store does not take is still ours, however long that lasts.
    this.#queue = events.filter(({id}) => !this.#inFlight.has(id));
    return this.#queue.length > 0;
  }

  async #giveBack(): Promise<void> {
    if (this.#queue.length === 0) return;
    const ids = this.#queue.map(({id}) => id);
    this.#queue = [];
    await this.#store.run(releaseEvents, {ids, leaseUntil: this.#leaseUntil, at: this.#now()});
  }

  /** Ends the long waits of an outage that is over. What is due within a lease's time comes by itself. */
  async #hastenSome(): Promise<boolean> {
    if (!this.#hasten || performance.now() < this.#hastenedAt + HASTEN_EVERY_MS) return false;
    const now = this.#now();
    const count = await this.#store.run(hastenEvents, {now, after: now + LEASE_MS, limit: HASTEN_PART});
    if (count === HASTEN_PART) return true;
    this.#hasten = false;
    this.#hastenedAt = performance.now();
    return count > 0;
  }

  #begin(event: ClaimedEvent): void {
    const done = this.#deliver(event).finally(() => {
      this.#inFlight.delete(event.id);
      this.wake();
    });
    this.#inFlight.set(event.id, done);
  }

  async #deliver(event: ClaimedEvent): Promise<void> {
    const begun = performance.now();
    const outcome = await attempt(event, this.#target, this.#options.endpoint, this.#now);
    this.#options.counters?.seconds.observe((performance.now() - begun) / 1000);
    this.#judge(event, outcome);
    const {result, write} = this.#noteOf(event, outcome);
    this.#counts[result] += 1;
    this.#options.counters?.results.count(result);
    if (result === 'dead') {
      this.#options.log.warn({eventId: event.event_id, type: event.type}, 'an event was given up; it can be replayed');
    }
    await this.#untilStored(write);
    this.#options.delivered?.({
      eventId: event.event_id,
      eventType: event.type,
      orderNo: event.order_no,
      deviceId: event.device_id,
      sequenceNo: event.sequence,
      result,
      attempts: event.attempts + 1,
    });
  }

  #judge(event: ClaimedEvent, outcome: Outcome): void {
    const before = this.#breaker;
    if (outcome.kind === 'failed') {
      this.#breaker = afterFailure(before, {
        eventId: event.event_id,
        now: performance.now(),
        silent: outcome.silent,
        retryAfterMs:
          outcome.retryAfterMs === undefined ? undefined : Math.min(outcome.retryAfterMs, LONGEST_RETRY_AFTER_MS),
      });
      if (before.openUntil === undefined && this.#breaker.openUntil !== undefined) {
        this.#options.log.warn(
          {error: outcome.error},
          'the webhook endpoint accepts nothing: it is tried now and then',
        );
      }
      return;
    }
    // 410 is an answer, too.
    if (before.openUntil !== undefined) this.#options.log.info({}, 'the webhook endpoint answers again');
    if (isBack(before) || this.#unknown) this.#hasten = true;
    this.#unknown = false;
    this.#breaker = closedBreaker;
  }

  #noteOf(event: ClaimedEvent, outcome: Outcome): Note {
    const {id} = event;
    const at = this.#now();
    if (outcome.kind === 'pushed') return {result: 'pushed', write: () => this.#store.run(eventPushed, {id, at})};
    const {error} = outcome;
    const nextAttemptAt =
      outcome.kind === 'gone'
        ? undefined
        : nextAttempt(this.#schedule, {
            attempts: event.attempts + 1,
            createdAt: event.created_at,
            now: at,
            retryAfterMs: outcome.retryAfterMs,
          });
    return nextAttemptAt === undefined
      ? {result: 'dead', write: () => this.#store.run(eventDead, {id, at, error})}
      : {result: 'failed', write: () => this.#store.run(eventFailed, {id, nextAttemptAt, error})};
  }

  /** Keeps its place until what became of it is stored. If it never is, the lease ends and the event is sent again. */
  async #untilStored(write: () => Promise<void>): Promise<void> {
    const {signal} = this.#stopping;
    for (;;) {
      try {
        return await write();
      } catch (error) {
        this.#complain(error);
        if (signal.aborted || codeOf(error) === 'STORE_CLOSED' || codeOf(error) === 'STORE_BROKEN') return;
        await pause(NOTE_AGAIN_MS, undefined, {signal}).catch(() => {});
      }
    }
  }

  #complain(error: unknown): void {
    this.#options.log.warn({error: messageOf(error), code: codeOf(error)}, 'the outbox of events cannot be used now');
  }
}
