import type protobuf from 'protobufjs';
import {nearest} from '../config/index.js';
import {messageOf, PaynetError} from '../errors.js';
import {safeText} from './json.js';
import {mapField} from './read-message.js';
import {invalid, isDecimal, type Scalar, scalarOf} from './scalar.js';

/** Messages within messages; a deeper one is refused before it exhausts the stack. */
const MAX_DEPTH = 50;

type Built = Scalar | Built[] | {[name: string]: Built};

/**
 * Encodes a message from JSON values. Names are those of the .proto file or their camelCase; every value is checked
 * against its type before anything is encoded.
 * @throws PaynetError FIELD_INVALID, FIELD_UNKNOWN, FIELD_TWICE or FIELD_REQUIRED
 */
export function writeMessage(type: protobuf.Type, fields: unknown): Uint8Array {
  return type.encode(message(type, fields, '', 0)).finish();
}

/** A value typed as text, such as `coins=3`, as the JSON value that a field of this name wants. */
export function jsonOfText(type: protobuf.Type, name: string, text: string): unknown {
  const field = fieldOf(type, name, '');
  if (field.map || (field.resolvedType !== null && 'fields' in field.resolvedType)) return parseJson(text, name);
  if (field.resolvedType !== null) return isDecimal(text) ? Number(text) : text;
  if (field.type === 'string' || field.type === 'bytes') return text;
  if (field.type === 'bool') return text === 'true' ? true : text === 'false' ? false : text;
  if (field.type === 'double' || field.type === 'float') {
    return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
  }
  // As digits when a JavaScript number would not be exact; what is no number stays text and is refused as such.
  return isDecimal(text) && Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

/** The field of a message by its name in the .proto file or its camelCase. */
export function findField(type: protobuf.Type, name: string): protobuf.Field | undefined {
  return type.fieldsArray.find((field) => field.name === name || camelCase(field.name) === name);
}

/** The same; throws FIELD_UNKNOWN. */
function fieldOf(type: protobuf.Type, name: string, path: string): protobuf.Field {
  const found = findField(type, name);
  if (found !== undefined) return found;
  const names = type.fieldsArray.map((field) => field.name);
  const near = nearest(name, names);
  throw new PaynetError('FIELD_UNKNOWN', `${type.name} has no field ${safeText(path + name)}.`, {
    hint: near === undefined ? `Its fields: ${names.join(', ') || 'none'}` : `Did you mean ${near}?`,
  });
}

function message(type: protobuf.Type, fields: unknown, path: string, depth: number): {[name: string]: Built} {
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    throw invalid(path === '' ? 'fields' : path, 'an object', fields);
  }
  if (depth > MAX_DEPTH) {
    throw new PaynetError('FIELD_INVALID', `${safeText(path)}: messages are nested deeper than ${MAX_DEPTH}`);
  }
  const prefix = path === '' ? '' : `${path}.`;
  const built = new Map<string, Built>();
  for (const [name, value] of Object.entries(fields)) {
    const field = fieldOf(type, name, prefix);
    if (built.has(field.name)) throw twice(prefix + field.name, 'is given twice');
    built.set(field.name, fieldValue(field, value, prefix + field.name, depth));
  }
  for (const oneof of type.oneofsArray) {
    const given = oneof.oneof.filter((name) => built.has(name));
    if (given.length > 1) throw twice(given.map((name) => prefix + name).join(' and '), 'exclude each other');
  }
  const missing = type.fieldsArray.find((field) => field.required && !built.has(field.name));
  if (missing !== undefined) {
    throw new PaynetError('FIELD_REQUIRED', `${type.name} cannot be without ${prefix}${missing.name}.`);
  }
  return Object.fromEntries(built);
}

function fieldValue(field: protobuf.Field, value: unknown, path: string, depth: number): Built {
  const map = mapField(field);
  if (map !== undefined) return mapValue(map, value, path, depth);
  if (!field.repeated) return single(field, value, path, depth);
  if (!Array.isArray(value)) throw invalid(path, 'a list', value);
  return value.map((item, index) => single(field, item, `${path}[${index}]`, depth));
}

function mapValue(field: protobuf.MapField, value: unknown, path: string, depth: number): Built {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'an object', value);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const keyPath = `${path}[${safeText(key)}]`;
      if (field.keyType === 'bool') scalarOf('bool', key === 'true' ? true : key === 'false' ? false : key, keyPath);
      else if (field.keyType !== 'string') scalarOf(field.keyType, isDecimal(key) ? numberOrDigits(key) : key, keyPath);
      return [key, single(field, item, keyPath, depth)];
    }),
  );
}

function single(field: protobuf.FieldBase, value: unknown, path: string, depth: number): Built {
  const {resolvedType} = field;
  if (resolvedType === null) return scalarOf(field.type, value, path);
  return 'fields' in resolvedType
    ? message(resolvedType, value, path, depth + 1)
    : enumValue(resolvedType, value, path);
}

function enumValue(type: protobuf.Enum, value: unknown, path: string): Scalar {
  if (typeof value !== 'string') return scalarOf('int32', value, path);
  if (Object.hasOwn(type.values, value)) return type.values[value] as number;
  const names = Object.keys(type.values);
  const near = nearest(value, names);
  throw invalid(path, `one of ${names.join(', ')} or a number`, value, near && `Did you mean ${near}?`);
}

function numberOrDigits(text: string): number | string {
  return Number.isSafeInteger(Number(text)) ? Number(text) : text;
}

function twice(names: string, why: string): PaynetError {
  return new PaynetError('FIELD_TWICE', `${safeText(names)} ${why}.`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `${safeText(name)} must be JSON: ${safeText(messageOf(cause))}`;
    throw new PaynetError('FIELD_INVALID', message, {cause});
  }
}

function camelCase(name: string): string {
  return name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
