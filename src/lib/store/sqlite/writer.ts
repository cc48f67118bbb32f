import {once} from 'node:events';
import type {Worker} from 'node:worker_threads';
import {messageOf, type PaynetError} from '../../errors.js';
import {failures} from '../failures.js';
import {type FromWriter, fromPlain, type PlainError, type WriterOptions} from './messages.js';
import {spawnWriter} from './spawn.js';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** The number of the tick in which it was asked for. */
  tick: number;
}

const TICK_MS = 1000;
/** A disk that hangs this long is not waited for any more. */
const ANSWER_LIMIT_TICKS = 30;
/** More than any load that is still being served; beyond it memory would be all that grows. */
const MAX_WAITING = 50_000;
const END_LIMIT_MS = 30_000;

/** The main thread's end of the writer. All operations of a turn of the event loop travel in one message. */
export class Writer {
  operations = 0;
  transactions = 0;
  failure: PaynetError | undefined;
  readonly broken: Promise<PaynetError>;
  readonly #worker: Worker;
  readonly #known: ReadonlySet<string>;
  readonly #waiting = new Map<number, Waiting>();
  readonly #clock: NodeJS.Timeout;
  #tellBroken: (error: PaynetError) => void = () => {};
  #outgoing: unknown[] = [];
  #lastId = 0;
  #tick = 0;
  #ending = false;

  private constructor(worker: Worker, known: ReadonlySet<string>) {
    this.#worker = worker;
    this.#known = known;
    this.broken = new Promise((resolve) => {
      this.#tellBroken = resolve;
    });
    worker.on('message', (message: FromWriter) => this.#take(message));
    worker.on('messageerror', (error) => this.#lose(failures.broken('its thread cannot be understood', error)));
    worker.on('error', (error) => this.#lose(failures.broken(`its thread ended: ${messageOf(error)}`, error)));
    worker.on('exit', () => {
      if (!this.#ending || this.#waiting.size > 0) this.#lose(failures.broken('its thread ended'));
    });
    // Ticks, not the time of day or of the machine: a process that was stopped finds its answers before it gives up.
    this.#clock = setInterval(() => this.#giveUp(), TICK_MS).unref();
  }

  /** @throws PaynetError what the database is refused for */
  static async start(options: WriterOptions): Promise<Writer> {
    const worker = spawnWriter(options);
    const [message] = (await once(worker, 'message')) as [FromWriter];
    if (message.kind === 'started') return new Writer(worker, new Set(message.operations));
    await once(worker, 'exit');
    throw message.kind === 'refused' ? fromPlain(message.error) : new Error('the thread of the store speaks too early');
  }

  knows(name: string): boolean {
    return this.#known.has(name);
  }

  run(name: string, args: unknown): Promise<unknown> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.#waiting.size >= MAX_WAITING) return Promise.reject(failures.busy('too many writes are waiting'));
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#waiting.set(this.#lastId, {resolve, reject, tick: this.#tick});
      if (this.#outgoing.length === 0) setImmediate(() => this.#send());
      this.#outgoing.push(this.#lastId, name, args);
    });
  }

  /** Nothing is accepted after this. The thread still answers what it has been given. */
  fail(error: PaynetError): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.#tellBroken(error);
  }

  /** Ends the thread after everything that was asked for. */
  async end(): Promise<void> {
    this.#ending = true;
    if (this.#worker.threadId !== -1) {
      const exited = once(this.#worker, 'exit');
      this.#send();
      this.#worker.postMessage(null);
      const limit = setTimeout(() => void this.#worker.terminate(), END_LIMIT_MS);
      await exited;
      clearTimeout(limit);
    }
    clearInterval(this.#clock);
  }

  #send(): void {
    const jobs = this.#outgoing;
    if (jobs.length === 0) return;
    this.#outgoing = [];
    try {
      this.#worker.postMessage(jobs);
    } catch {
      // Arguments of one of them are no plain data; the others must not suffer.
      for (let at = 0; at < jobs.length; at += 3) this.#sendAlone(jobs.slice(at, at + 3));
    }
  }

  #sendAlone(job: unknown[]): void {
    try {
      this.#worker.postMessage(job);
    } catch (error) {
      this.#settle(job[0] as number)?.reject(error);
    }
  }

  #take(message: FromWriter): void {
    if (message.kind === 'broken') {
      this.fail(fromPlain(message.error) as PaynetError);
      return;
    }
    if (message.kind !== 'answers') return;
    const {answers} = message;
    this.transactions += 1;
    for (let at = 0; at < answers.length; at += 3) {
      const waiting = this.#settle(answers[at] as number);
      if (answers[at + 1] === 1) {
        this.operations += 1;
        waiting?.resolve(answers[at + 2]);
      } else {
        waiting?.reject(fromPlain(answers[at + 2] as PlainError));
      }
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #giveUp(): void {
    this.#tick += 1;
    for (const [id, {tick, reject}] of this.#waiting) {
      if (this.#tick - tick <= ANSWER_LIMIT_TICKS) return;
      this.#waiting.delete(id);
      reject(failures.uncertain(`the disk has not answered for ${ANSWER_LIMIT_TICKS} s`));
    }
  }

  /** The thread answers no more: what it was doing may be done or not. */
  #lose(error: PaynetError): void {
    this.fail(error);
    clearInterval(this.#clock);
    this.#outgoing = [];
    for (const {reject} of this.#waiting.values()) reject(failures.uncertain(error.message, error));
    this.#waiting.clear();
  }
}
