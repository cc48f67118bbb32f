import {type OutputUnit, Validator} from '@cfworker/json-schema';
import {ApiError} from './errors.js';
import type {Schema} from './schema.js';

/** @throws ApiError INVALID_PARAMETER with one sentence; what the value was is not repeated */
export type Check = (value: unknown) => void;

const CONTAINERS: ReadonlySet<string> = new Set(['properties', 'items', 'additionalProperties']);

/**
 * What checks values against a schema, and fills in the defaults of fields that are missing. The schema is walked
 * through, not compiled: the server may run where no code is made out of strings.
 * `part`: how sentences name the whole value.
 */
export function checkOf(schema: Schema, part: 'body' | 'query' | 'path' | 'headers'): Check {
  const validator = new Validator(schema, '2020-12');
  const fields = (schema.properties ?? {}) as Record<string, Schema>;
  const defaults = Object.entries(fields).filter(([, field]) => field.default !== undefined);
  return (value) => {
    for (const [name, field] of defaults) {
      const record = value as Record<string, unknown>;
      if (record[name] === undefined) record[name] = field.default;
    }
    const {valid, errors} = validator.validate(value);
    if (!valid) throw new ApiError('INVALID_PARAMETER', sentence(schema, value, errors, part));
  };
}

function sentence(schema: Schema, value: unknown, errors: OutputUnit[], part: string): string {
  // What is wrong with an object or a list is followed by what is wrong inside.
  const found = errors.findIndex(({keyword}) => !CONTAINERS.has(keyword));
  const {keyword, keywordLocation, instanceLocation} = errors[found] as OutputUnit;
  const path = namesIn(instanceLocation);
  if (keyword === 'false') {
    const unknown = JSON.stringify(path.pop()?.slice(0, 64));
    return `${subject(path, part)} has no field ${unknown}`;
  }
  const limit = at(schema, namesIn(keywordLocation));
  return `${subject(path, part)} ${must(keyword, limit, at(value, path))}`;
}

const subject = (path: readonly string[], part: string): string =>
  path.length === 0 ? `the ${part}` : `${path.join('.')} (${part})`;

function must(keyword: string, limit: unknown, value: unknown): string {
  switch (keyword) {
    case 'type':
      return `must be ${[limit].flat().join(' or ')}`;
    case 'required':
      return `must have the field ${(limit as string[]).find((name) => !Object.hasOwn(value as object, name))}`;
    case 'enum':
      return `must be one of ${(limit as unknown[]).join(', ')}`;
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    case 'minLength':
      return `must have at least ${limit} characters`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
      return `must have at least ${limit} items`;
    case 'maxItems':
      return `must have at most ${limit} items`;
    case 'pattern':
      return `must match ${limit}`;
    default:
      return `is not what its schema says of ${keyword}`;
  }
}

/** The names in a JSON pointer of the form "#/a/b", as the validator writes them. */
function namesIn(pointer: string): string[] {
  const [, ...names] = pointer.split('/');
  return names.map((name) => decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~'));
}

function at(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const name of path) value = (value as Record<string, unknown>)[name];
  return value;
}
