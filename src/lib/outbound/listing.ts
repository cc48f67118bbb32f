import type {CommandRow, Store} from '../store/index.js';
import {openPage, openPageOfDevice} from './queries.js';

/** Narrows a list of commands; it goes on after `after`. */
export interface CommandListing {
  readonly deviceId?: string | undefined;
  readonly after?: {readonly createdAt: number; readonly id: string} | undefined;
  /** 1 to 100. */
  readonly limit: number;
}

/** Commands that wait or are being sent, coins too, the latest first. */
export function waitingCommands(store: Store, {deviceId, after, limit}: CommandListing): Promise<CommandRow[]> {
  const from = {
    beforeAt: after?.createdAt ?? Number.MAX_SAFE_INTEGER,
    beforeId: after?.id ?? '',
    limit: Math.min(limit, 100),
  };
  return deviceId === undefined ? store.read(openPage, from) : store.read(openPageOfDevice, {...from, deviceId});
}
