import type {Database, Statement} from 'better-sqlite3';
import type {PaynetError} from '../../errors.js';
import {failures} from '../failures.js';
import type {AnyOperation} from '../operation.js';
import {explain, isFatal} from './errors.js';
import {Statements} from './statements.js';
import {SqliteTx} from './transaction.js';

export interface Job {
  id: number;
  operation: AnyOperation;
  args: unknown;
}

export type Answer = {id: number; value: unknown} | {id: number; error: unknown};

interface Ran {
  tx: SqliteTx;
  value: unknown;
  failure: {reason: unknown} | undefined;
}

/** An operation only ever awaits its transaction, which answers at once. One that awaits more holds up all others. */
const OPERATION_LIMIT_MS = 5000;
/** So many pages of the log go to the database at a time; below that only the log is written. */
const CHECKPOINT_PAGES = 1000;

/**
 * Runs operations in groups. A group is one transaction and one sync. When one of a group has failed, nothing of it is
 * kept, and it is run once more with a savepoint for each, so that the one that fails is undone alone: to set them
 * always would cost every operation copies of the pages that it writes.
 */
export class GroupCommit {
  /** Set when the disk or the file has failed; nothing is written after that. */
  broken: PaynetError | undefined;
  readonly #db: Database;
  readonly #statements: Statements;
  readonly #begin: () => void;
  readonly #commit: Statement;
  readonly #savepoint: Statement;
  readonly #release: Statement;
  readonly #undo: Statement;
  readonly #logSize: Statement<[], {log: number}>;
  #stuck: ((error: Error) => void) | undefined;
  #checkpointed = 0;

  /** `begin` begins a transaction that writes. */
  constructor(db: Database, begin?: () => void) {
    this.#db = db;
    this.#statements = new Statements(db);
    const immediate = db.prepare('BEGIN IMMEDIATE');
    this.#begin = begin ?? (() => immediate.run());
    this.#commit = db.prepare('COMMIT');
    this.#savepoint = db.prepare('SAVEPOINT operation');
    this.#release = db.prepare('RELEASE operation');
    this.#undo = db.prepare('ROLLBACK TO operation');
    this.#logSize = db.prepare('PRAGMA wal_checkpoint(NOOP)');
  }

  /** Resolves when all of them are durable, or are not there. */
  async commit(jobs: readonly Job[]): Promise<Answer[]> {
    return (await this.#group(jobs, false)) ?? (await this.#group(jobs, true)) ?? [];
  }

  /** Without savepoints undefined when one has failed: then none of them is there. */
  async #group(jobs: readonly Job[], savepoints: boolean): Promise<Answer[] | undefined> {
    if (this.broken !== undefined) return allFailed(jobs, this.broken);
    try {
      this.#begin();
    } catch (error) {
      return allFailed(jobs, this.#judge(error));
    }
    const answers: Answer[] = [];
    const limit = setTimeout(() => this.#stuck?.(failures.timeout('an operation')), OPERATION_LIMIT_MS);
    try {
      for (const job of jobs) {
        const answer = savepoints ? await this.#runApart(job) : await this.#runOne(job);
        if (answer === undefined) {
          this.#rollBack();
          return undefined;
        }
        answers.push(answer);
      }
    } catch (error) {
      // The whole transaction is gone, and what came before it in the group with it.
      this.#rollBack();
      return allFailed(jobs, this.#judge(error));
    } finally {
      clearTimeout(limit);
    }
    try {
      this.#commit.run();
      return answers;
    } catch (error) {
      const reason = this.#judge(error);
      // After a failed sync the log may hold the commit all the same: only the next start can tell.
      const failure = isFatal(error) ? failures.uncertain('the disk failed at the commit', error) : reason;
      this.#rollBack();
      return answers.map((answer) => ('error' in answer ? answer : {id: answer.id, error: failure}));
    }
  }

  /** Moves what the log holds into the database, when it is much. Call it when nobody waits for an answer. */
  checkpoint(): void {
    if (this.broken !== undefined) return;
    try {
      const {log = 0} = this.#logSize.get() ?? {};
      // A log that was played in completely begins anew.
      if (log < this.#checkpointed) this.#checkpointed = 0;
      if (log - this.#checkpointed < CHECKPOINT_PAGES) return;
      this.#checkpointed = log;
      this.#db.pragma('wal_checkpoint(PASSIVE)');
    } catch (error) {
      // On a full disk everything stays in the log, and the next thousand pages try again.
      this.#judge(error);
    }
  }

  /** Undefined when it has failed. @throws what has ended the whole transaction */
  async #runOne(job: Job): Promise<Answer | undefined> {
    const {tx, value, failure} = await this.#run(job);
    tx.end();
    if (failure === undefined) return {id: job.id, value};
    this.#requireWhole(failure.reason);
    return undefined;
  }

  /** @throws what has ended the whole transaction */
  async #runApart(job: Job): Promise<Answer> {
    const {id} = job;
    this.#savepoint.run();
    const {tx, value, failure} = await this.#run(job);
    try {
      if (failure === undefined) {
        this.#release.run();
        return {id, value};
      }
      this.#requireWhole(failure.reason);
      this.#undo.run();
      this.#release.run();
      return {id, error: explain(failure.reason)};
    } finally {
      tx.end();
    }
  }

  async #run({operation, args}: Job): Promise<Ran> {
    const tx = new SqliteTx(this.#statements);
    try {
      const value = await new Promise((resolve, reject) => {
        this.#stuck = reject;
        operation.run(tx, args).then(resolve, reject);
      });
      return {tx, value, failure: tx.failure === undefined ? undefined : {reason: tx.failure}};
    } catch (error) {
      return {tx, value: undefined, failure: {reason: tx.failure ?? error}};
    }
  }

  /** @throws `reason`, when it has ended the whole transaction */
  #requireWhole(reason: unknown): void {
    if (isFatal(reason) || !this.#db.inTransaction) throw reason;
  }

  #rollBack(): void {
    if (this.broken === undefined && this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  #judge(error: unknown): unknown {
    const reason = explain(error);
    if (isFatal(error)) this.broken = reason as PaynetError;
    return reason;
  }
}

function allFailed(jobs: readonly Job[], error: unknown): Answer[] {
  return jobs.map(({id}) => ({id, error}));
}
