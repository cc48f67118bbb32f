import {parse} from 'node:querystring';

interface Name {
  wire: string;
  isTime: boolean;
  /** What others wrote stays as it is. */
  isForeign: boolean;
}

const names = new Map<string, Name>();

/**
 * Plain data of the program in the words of the interface: `orderNo` becomes `order_no`, a time (`…At`) becomes
 * ISO 8601 in UTC. What `data` and `reported` hold is passed on unchanged.
 */
export function toWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== 'object' || value === null) return value;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner === undefined) continue;
    const {wire, isTime, isForeign} = nameOf(key);
    if (typeof inner !== 'object' || inner === null || isForeign) {
      result[wire] = isTime && typeof inner === 'number' ? new Date(inner).toISOString() : inner;
    } else {
      result[wire] = toWire(inner);
    }
  }
  return result;
}

function nameOf(key: string): Name {
  const known = names.get(key);
  if (known !== undefined) return known;
  const made = {
    wire: key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    isTime: key.endsWith('At'),
    isForeign: key === 'data' || key === 'reported',
  };
  // Names are the program's own; figures may bring some more, but never without end.
  if (names.size < 1000) names.set(key, made);
  return made;
}

/** The query of an address: text, or a list where a name comes twice. */
export function queryOf(url: string): Record<string, unknown> {
  const start = url.indexOf('?');
  return start === -1 ? {} : parse(url.slice(start + 1));
}
