import type {CommandRow, Store} from '../store/index.js';
import {expireCommand, NOT_SENT, takeOverCommand} from './operations.js';
import type {CommandOutcome} from './port.js';
import {dueCommands, expiredCommands, lapsedCommands} from './queries.js';
import type {QueueLength} from './queue-length.js';
import {type OutboundCommand, outboundCommandOf} from './record.js';

/** Taken from the store at once. */
const PAGE = 500;

export interface SweepParts {
  readonly store: Store;
  readonly length: QueueLength;
  /** Whether an attempt of this command is under way here. */
  isInFlight(id: string): boolean;
  isOnline(deviceId: string): boolean;
  /** Something is due for a device that is online. */
  wake(deviceId: string): void;
  end(command: OutboundCommand, outcome: CommandOutcome, error: string): void;
}

/**
 * The safety net: finds in the store what nobody was woken for. Every look costs the same however many commands wait
 * for devices that are not there: it goes on where the last one ended.
 */
export class Sweep {
  readonly #parts: SweepParts;
  #afterAt = -1;
  #afterId = '';

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  async look(at: number): Promise<void> {
    await this.#expire(at);
    await this.#takeOver(at);
    await this.#wake(at);
  }

  async #expire(at: number): Promise<void> {
    const {store, length, end} = this.#parts;
    const expire = async (row: CommandRow): Promise<void> => {
      if (!(await store.run(expireCommand, {id: row.id, at}))) return;
      length.add(-1);
      end(outboundCommandOf(row), 'expired', NOT_SENT);
    };
    await Promise.all((await store.read(expiredCommands, {at, limit: PAGE})).map(expire));
  }

  async #takeOver(at: number): Promise<void> {
    const {store, length, end, isInFlight} = this.#parts;
    const takeOver = async ({id}: CommandRow): Promise<void> => {
      // After a stall of the process its acks are still to be read.
      if (isInFlight(id)) return;
      const taken = await store.run(takeOverCommand, {id, at});
      if (taken?.state === 'waiting') length.add(1);
      else if (taken !== undefined) end(outboundCommandOf(taken.command), taken.state, taken.error);
    };
    await Promise.all((await store.read(lapsedCommands, {at, limit: PAGE})).map(takeOver));
  }

  async #wake(at: number): Promise<void> {
    const {store, isOnline, wake} = this.#parts;
    const page = {at, afterAt: this.#afterAt, afterId: this.#afterId, limit: PAGE};
    const due = await store.read(dueCommands, page);
    const last = due.length === PAGE ? due.at(-1) : undefined;
    this.#afterAt = last?.not_before ?? -1;
    this.#afterId = last?.id ?? '';
    for (const deviceId of new Set(due.map((row) => row.device_id))) if (isOnline(deviceId)) wake(deviceId);
  }
}
