import {nearest} from '../config/index.js';
import {PaynetError} from '../errors.js';
import type {Direction} from '../registry/index.js';
import {safeJson, safeText} from './json.js';

/** A frame to encode, in the form of `frame decode --json`. */
export interface FrameRequest {
  protocol: string;
  direction: Direction | undefined;
  type: number | undefined;
  name: string | undefined;
  fields: unknown;
}

const READ = ['protocol', 'direction', 'type', 'name', 'fields'];
/** What `frame decode` adds and the encoder works out by itself. */
const WORKED_OUT = ['length', 'offset', 'notes', 'hex'];

/**
 * Reads what JSON says about a frame; what `frame decode --json` prints can be given as it is.
 * @throws PaynetError REQUEST_INVALID
 */
export function readRequest(json: unknown): FrameRequest {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw refused('A frame is a JSON object.', 'For example: {"name": "CoinCommand", "fields": {"order_id": "o1"}}');
  }
  const given = new Map(Object.entries(json));
  for (const key of given.keys()) {
    if (READ.includes(key) || WORKED_OUT.includes(key) || key === 'unknownFields') continue;
    const near = nearest(key, READ);
    const hint = near === undefined ? `Known keys: ${READ.join(', ')}` : `Did you mean ${near}?`;
    throw refused(`A frame has no key "${safeText(key)}".`, hint);
  }
  const unknown = given.get('unknownFields');
  if (unknown !== undefined && !(Array.isArray(unknown) && unknown.length === 0)) {
    throw refused('unknownFields cannot be encoded.', 'Remove them, or name the message that has them with --proto.');
  }
  const {type, name} = readType(given.get('type'), text(given, 'name'));
  return {
    protocol: text(given, 'protocol') ?? 'paynet',
    direction: readDirection(given.get('direction')),
    type,
    name,
    fields: given.get('fields') ?? {},
  };
}

/** A type as people write it: 0x04, 4 or a message's name. */
export function readType(value: unknown, name?: string): Pick<FrameRequest, 'type' | 'name'> {
  if (value === undefined || value === null) return {type: undefined, name};
  const number = typeof value === 'string' ? numberOf(value) : value;
  if (number === undefined && typeof value === 'string' && /^[A-Za-z_.]/.test(value)) {
    if (name !== undefined && name !== value)
      throw refused(`type and name differ: ${safeText(value)}, ${safeText(name)}.`);
    return {type: undefined, name: value};
  }
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xff) {
    throw refused(
      `${safeText(safeJson(value))} is no type.`,
      'A type is 0x00 to 0xFF, 0 to 255, or the name of a message.',
    );
  }
  return {type: number, name};
}

function numberOf(text: string): number | undefined {
  return /^(?:0x[0-9a-f]{1,2}|0|[1-9]\d{0,2})$/i.test(text) ? Number(text) : undefined;
}

function readDirection(value: unknown): Direction | undefined {
  if (value === undefined || value === null) return undefined;
  if (value === 'up' || value === 'down') return value;
  throw refused('direction is "up" (device to server) or "down" (server to device).');
}

function text(given: ReadonlyMap<string, unknown>, key: string): string | undefined {
  const value = given.get(key);
  if (value === undefined || value === null || typeof value === 'string') return value ?? undefined;
  throw refused(`${key} must be text.`);
}

function refused(message: string, hint?: string): PaynetError {
  return new PaynetError('REQUEST_INVALID', message, hint === undefined ? {} : {hint});
}
