import type protobuf from 'protobufjs';
import {type Direction, isReservedType, MessageRegistry, Type, typeText} from '../registry/index.js';
import type {Schema} from './schema.js';

/** A message that a frame type stands for, in one direction or both. */
export interface Meaning {
  type: number;
  name: string;
  directions: readonly Direction[];
  message: protobuf.Type;
}

/** What a frame was taken for, and what is doubtful about that. */
export interface Reading {
  meaning: Meaning | undefined;
  /** Null when the type goes both ways and nobody said which. */
  direction: Direction | null;
  notes: string[];
}

/**
 * Everything a type can mean: the built-in messages, a 0x05 also as the answer that it may be, and the user's
 * `names` (type to message), which replace what the type meant.
 */
export function meaningsOf(schema: Schema, names: ReadonlyMap<number, string>): Meaning[] {
  const meanings = new Map<string, Meaning>();
  const add = (type: number, name: string, direction: Direction): void => {
    const key = `${type} ${name}`;
    const directions = [...(meanings.get(key)?.directions ?? []), direction];
    meanings.set(key, {type, name, directions, message: schema.message(`paybox.${name}`)});
  };
  for (const {type, name, direction} of new MessageRegistry().list()) add(type, name, direction);
  add(Type.query, 'QueryRsp', 'up');
  add(Type.query, 'QueryRsp', 'down');
  const own = [...names].map(([type, name]): Meaning => {
    const message = schema.message(name);
    const directions = meanings.get(`${type} ${message.name}`)?.directions ?? ['up', 'down'];
    return {type, name: message.name, directions, message};
  });
  return [...own, ...[...meanings.values()].filter(({type}) => !names.has(type))];
}

/** Which message a frame is; `numbers` are those of the fields that it holds. */
export function readingOf(
  meanings: readonly Meaning[],
  type: number,
  direction: Direction | undefined,
  numbers: ReadonlySet<number>,
): Reading {
  const all = meanings.filter((meaning) => meaning.type === type);
  const fitting = all.filter(({directions}) => direction === undefined || directions.includes(direction));
  const meaning = byFields(fitting, numbers);
  if (meaning === undefined) return {meaning, direction: direction ?? null, notes: [strange(type, all, direction)]};
  const only = meaning.directions.length === 1 ? meaning.directions[0] : undefined;
  const other = fitting.find((candidate) => candidate !== meaning && covers(candidate.message, numbers));
  return {
    meaning,
    direction: direction ?? only ?? null,
    notes: other === undefined ? [] : [`a ${other.name} can have the same bytes: ${tellApart(type)}`],
  };
}

/** Of two messages under one type, the smaller one, unless a field shows that it is the larger one. */
function byFields(candidates: readonly Meaning[], numbers: ReadonlySet<number>): Meaning | undefined {
  const [small, large] = candidates.toSorted((a, b) => a.message.fieldsArray.length - b.message.fieldsArray.length);
  if (small === undefined || large === undefined) return small;
  // A server's Pong always tells the time; a box may well send a Ping with nothing in it.
  if (small.type === Type.ping && numbers.size === 0) return large;
  const shown = [...numbers].some(
    (number) => number in large.message.fieldsById && !(number in small.message.fieldsById),
  );
  return shown ? large : small;
}

function covers(message: protobuf.Type, numbers: ReadonlySet<number>): boolean {
  return [...numbers].every((number) => number in message.fieldsById);
}

function tellApart(type: number): string {
  if (type !== Type.query) return '--direction tells them apart';
  return 'it is the answer if its receiver has asked about this order';
}

function strange(type: number, all: readonly Meaning[], direction: Direction | undefined): string {
  const text = typeText(type);
  const names = [...new Set(all.map(({name}) => name))].join(' or ');
  if (names !== '') return `${text} is no known message ${wayText(direction)}; the other way it is ${names}`;
  const reserved = isReservedType(type) ? ' (0xF0 to 0xFE are reserved for diagnostics)' : '';
  return `${text} is no known message${reserved}: name one with --proto FILE --message ${text}=Name`;
}

/** "up" and "down" in words. */
export function wayText(direction: Direction | null | undefined): string {
  if (direction === 'up') return 'from device to server';
  return direction === 'down' ? 'from server to device' : 'either way';
}
