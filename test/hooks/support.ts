import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import type {OrderHookRequest} from '../../src/lib/hooks/index.js';
import type {Log} from '../../src/lib/observe/index.js';

export const ORDER: OrderHookRequest = {
  orderNo: 'A1',
  deviceId: 'D1',
  kind: 'coin',
  coins: 3,
  timeoutSeconds: 60,
  portNo: null,
  amountCent: 300,
};

/** A folder with these files that goes with the test. */
export function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-hooks-'));
  onTestFinished(() => rmSync(folder, {recursive: true, force: true}));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

export interface Line {
  level: string;
  fields: Record<string, unknown>;
  message: string;
}

export function keepingLog(): Log & {lines: Line[]} {
  const lines: Line[] = [];
  const level = (name: string) => (fields: object, message: string) => {
    lines.push({level: name, fields: fields as Line['fields'], message});
  };
  const log = {
    lines,
    debug: level('debug'),
    info: level('info'),
    warn: level('warn'),
    error: level('error'),
    child: () => log,
  };
  return log;
}
