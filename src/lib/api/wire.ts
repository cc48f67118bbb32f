import {parse} from 'node:querystring';

const names = new Map<string, string>();

/** What others wrote stays as it is. */
const FOREIGN = new Set(['data', 'reported']);

/**
 * Plain data of the program in the words of the interface: `orderNo` becomes `order_no`, a time (`…At`) becomes
 * ISO 8601 in UTC. What `data` and `reported` hold is passed on unchanged.
 */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value)) {
    if (inner === undefined) continue;
    const isTime = typeof inner === 'number' && name.endsWith('At');
    if (isTime) result[wireName(name)] = new Date(inner).toISOString();
    else result[wireName(name)] = FOREIGN.has(name) ? inner : toWire(inner);
  }
  return result;
}

function wireName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const made = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  // Names are the program's own; figures may bring some more, but never without end.
  if (names.size < 1000) names.set(name, made);
  return made;
}

/** The query of an address: text, or a list where a name comes twice. */
export function queryOf(url: string): Record<string, unknown> {
  const start = url.indexOf('?');
  return start === -1 ? {} : parse(url.slice(start + 1));
}
