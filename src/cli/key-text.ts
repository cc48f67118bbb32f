import type {KeyInfo} from '../lib/api/index.js';
import {printable} from '../lib/observe/index.js';
import {dayOf} from '../lib/tls/index.js';
import {color} from './color.js';

const HEAD = ['id', 'scope', 'state', 'created', 'expires', 'last used', 'name'];

/** API keys for a person, one a line under a head; no line when there is none. `now`: UTC milliseconds. */
export function keyLines(keys: readonly KeyInfo[], now: number): string[] {
  if (keys.length === 0) return [];
  const rows = keys.map((key) => [
    key.id,
    key.scope,
    stateOf(key, now),
    day(key.createdAt),
    day(key.expiresAt),
    day(key.lastUsedAt),
    printable(key.name),
  ]);
  const widths = HEAD.map((_, column) => Math.max(...[HEAD, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (row: string[]): string =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [color.dim(line(HEAD)), ...rows.map(line)];
}

function stateOf({revokedAt, expiresAt}: KeyInfo, now: number): string {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'in force';
}

function day(time: number | null): string {
  return time === null ? '-' : dayOf(new Date(time));
}
