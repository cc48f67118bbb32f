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

/** An operation only ever awaits its transaction, which answers at once. One that awaits more holds up all others. */
const OPERATION_LIMIT_MS = 5000;
/** So many pages of the log go to the database at a time; below that only the log is written. */
const CHECKPOINT_PAGES = 1000;

/**
 * Runs operations in groups. A group is one transaction and one sync; each operation in it has a savepoint, so that one
 * that fails is undone alone.
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
    if (this.broken !== undefined) return allFailed(jobs, this.broken);
    try {
      this.#begin();
    } catch (error) {
      return allFailed(jobs, this.#judge(error));
    }
    const answers: Answer[] = [];
    const limit = setTimeout(() => this.#stuck?.(failures.timeout('an operation')), OPERATION_LIMIT_MS);
    try {
      for (const job of jobs) answers.push(await this.#runOne(job));
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

  /** @throws what has ended the whole transaction */
  async #runOne({id, operation, args}: Job): Promise<Answer> {
    const tx = new SqliteTx(this.#statements);
    this.#savepoint.run();
    try {
      const value = await new Promise((resolve, reject) => {
        this.#stuck = reject;
        operation.run(tx, args).then(resolve, reject);
      });
      if (tx.failure !== undefined) throw tx.failure;
      this.#release.run();
      return {id, value};
    } catch (error) {
      const reason = tx.failure ?? error;
      if (isFatal(reason) || !this.#db.inTransaction) throw reason;
      this.#undo.run();
      this.#release.run();
      return {id, error: explain(reason)};
    } finally {
      tx.end();
    }
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
