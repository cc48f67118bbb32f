/** Something with a due time. The fields belong to the wheel: an entry is its own list node, so waiting allocates nothing. */
export interface Deadline {
  /** Called once when due; may schedule itself again. */
  onDeadline(): void;
  wheelSlot: number;
  wheelDue: number;
  wheelNext: Deadline | undefined;
  wheelPrevious: Deadline | undefined;
}

const TICK_MS = 100;
const SLOTS = 1024;
/** The list of what is due and not called yet, so that it can still be cancelled. */
const DUE = SLOTS;
/** The longest step one tick adds to the wheel's time. */
const LONGEST_STEP_MS = 1000;

/**
 * One timer for all deadlines of a process part. Scheduling, cancelling and expiry cost the same for ten entries and
 * for fifty thousand; an entry is due up to 100 ms late.
 *
 * Its time, `now` (ms), stands still while the process does: after a stall (a blocked loop, SIGSTOP, a suspended
 * machine) the bytes that peers sent meanwhile are still unread, and their silence must not be held against them.
 */
export class DeadlineWheel {
  /** Milliseconds of the wheel's own time, refreshed every 100 ms. */
  now = 0;
  readonly #slots: (Deadline | undefined)[] = new Array(SLOTS + 1).fill(undefined);
  #tick = 0;
  #clock = 0;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;

  /** How many entries wait. */
  get size(): number {
    return this.#size;
  }

  /** Starts the timer; it does not keep the process alive. */
  start(): this {
    if (this.#timer !== undefined) return this;
    this.#clock = performance.now();
    this.#timer = setInterval(() => {
      const clock = performance.now();
      this.advance(Math.min(clock - this.#clock, LONGEST_STEP_MS));
      this.#clock = clock;
    }, TICK_MS);
    this.#timer.unref();
    return this;
  }

  /** Stops the timer; entries stay but are not called any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Calls `entry` in `delayMs` from now (0 or more); an entry that waits already is moved. */
  schedule(entry: Deadline, delayMs: number): void {
    if (entry.wheelSlot >= 0) this.cancel(entry);
    entry.wheelDue = this.now + delayMs;
    // The slot after the due time: an entry is never early.
    this.#put(entry, Math.max(Math.ceil(entry.wheelDue / TICK_MS), this.#tick + 1) % SLOTS);
  }

  /** Takes an entry out, so that it is not called, not even when it is due already; does nothing when it does not wait. */
  cancel(entry: Deadline): void {
    if (entry.wheelSlot < 0) return;
    if (entry.wheelPrevious !== undefined) entry.wheelPrevious.wheelNext = entry.wheelNext;
    else this.#slots[entry.wheelSlot] = entry.wheelNext;
    if (entry.wheelNext !== undefined) entry.wheelNext.wheelPrevious = entry.wheelPrevious;
    entry.wheelSlot = -1;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    this.#size--;
  }

  /** Moves the wheel's time forward and calls what is due. The timer does this; tests may. */
  advance(stepMs: number): void {
    this.now += stepMs;
    const last = Math.floor(this.now / TICK_MS);
    while (this.#tick < last) {
      this.#tick++;
      this.#expire(this.#tick % SLOTS);
    }
  }

  #put(entry: Deadline, slot: number): void {
    const first = this.#slots[slot];
    entry.wheelSlot = slot;
    entry.wheelPrevious = undefined;
    entry.wheelNext = first;
    if (first !== undefined) first.wheelPrevious = entry;
    this.#slots[slot] = entry;
    this.#size++;
  }

  #expire(slot: number): void {
    let entry = this.#slots[slot];
    while (entry !== undefined) {
      const next: Deadline | undefined = entry.wheelNext;
      // Entries of a later turn of the wheel share the slot.
      if (entry.wheelDue <= this.now) {
        this.cancel(entry);
        this.#put(entry, DUE);
      }
      entry = next;
    }
    // What one of them cancels or moves is not called.
    for (let due = this.#slots[DUE]; due !== undefined; due = this.#slots[DUE]) {
      this.cancel(due);
      due.onDeadline();
    }
  }
}

/** A deadline that calls a function, for what waits seldom (a query, a command); hot objects are entries themselves. */
export class Alarm implements Deadline {
  wheelSlot = -1;
  wheelDue = 0;
  wheelNext: Deadline | undefined = undefined;
  wheelPrevious: Deadline | undefined = undefined;
  readonly onDeadline: () => void;

  constructor(onDeadline: () => void) {
    this.onDeadline = onDeadline;
  }
}
