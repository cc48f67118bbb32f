import {formatDuration} from './duration.js';
import type {Config} from './schema.js';
import {leaves, sections} from './tree.js';

/** A configuration for people and files: durations as text, no password and no key. */
export function printableConfig(config: Config): Record<string, unknown> {
  return printableSection(config, '');
}

function printableSection(section: object, above: string): Record<string, unknown> {
  const printed: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(section)) {
    const key = above === '' ? name : `${above}.${name}`;
    if (value === undefined) continue;
    printed[name] = sections.has(key) ? printableSection(value as object, key) : printableLeaf(key, value);
  }
  return printed;
}

function printableLeaf(key: string, value: unknown): unknown {
  const leaf = leaves.get(key);
  if (leaf?.kind === 'duration' && typeof value === 'number') return formatDuration(value);
  if (!leaf?.secret) return value;
  if (leaf.kind === 'path' && typeof value === 'string') return value.startsWith('-----BEGIN') ? REDACTED : value;
  return typeof value === 'string' && URL.canParse(value) ? withoutPassword(value) : REDACTED;
}

const REDACTED = '[redacted]';

function withoutPassword(text: string): string {
  const url = new URL(text);
  const user = url.password === '' && url.username === '' ? '' : `${url.username}:${REDACTED}@`;
  return `${url.protocol}//${user}${url.host}${url.pathname}`;
}
