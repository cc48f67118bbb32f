interface Line {
  last: Promise<unknown>;
  length: number;
}

/** Lets tasks of one key happen one after the other, those of others beside them. */
export class Turns {
  readonly #lines = new Map<string, Line>();

  /** How many tasks of a key are under way or wait. */
  length(key: string): number {
    return this.#lines.get(key)?.length ?? 0;
  }

  /** Runs the task after those that came before, whatever became of them. */
  run<R>(key: string, task: () => Promise<R>): Promise<R> {
    const line = this.#lines.get(key) ?? {last: Promise.resolve(), length: 0};
    this.#lines.set(key, line);
    line.length += 1;
    const turn = line.last.then(task, task);
    const leave = (): void => {
      line.length -= 1;
      if (line.length === 0) this.#lines.delete(key);
    };
    // Its failure is its caller's; for the next one it only means that it is its turn.
    line.last = turn.then(leave, leave);
    return turn;
  }
}
