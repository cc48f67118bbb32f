import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {openStore, type Store, type StoreLog, type StoreTarget} from '../../src/lib/store/index.js';

export const OPERATIONS = new URL('./operations.ts', import.meta.url);

/** A folder that goes with the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-store-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  return folder;
}

export interface Line {
  level: 'info' | 'warn' | 'error';
  fields: object;
  message: string;
}

/** A log that keeps its lines. */
export function keepingLog(): StoreLog & {lines: Line[]} {
  const lines: Line[] = [];
  const level = (name: Line['level']) => (fields: object, message: string) => {
    lines.push({level: name, fields, message});
  };
  return {lines, info: level('info'), warn: level('warn'), error: level('error')};
}

/** Opens a store that is closed after the test. */
export async function open(target: StoreTarget, log: StoreLog = keepingLog()): Promise<Store> {
  const store = await openStore(target, {operations: [OPERATIONS], log});
  onTestFinished(() => store.close());
  return store;
}

/** Opens a SQLite store in a folder of its own. */
export function openFile(path: string = join(tempFolder(), 'paynet.db'), log?: StoreLog): Promise<Store> {
  return open({engine: 'sqlite', path}, log);
}
