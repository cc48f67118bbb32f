import type protobuf from 'protobufjs';
import {exactNumber, type JsonObject, type JsonValue} from './json.js';
import type {Schema} from './schema.js';
import {type WireField, wireFields} from './wire.js';

/** A field that the schema does not know, or that came with another wire type than the schema's. */
export interface UnknownField extends WireField {
  /** The field of the message that it stands in, when that is not the outermost one: "detail.port". */
  in?: string;
}

export interface ReadMessage {
  /** All fields by their names in the .proto file, with defaults; an absent field that can be absent is left out. */
  fields: JsonObject;
  unknownFields: UnknownField[];
  notes: string[];
}

/** Decodes a payload. Throws when the bytes are no such message. */
export function readMessage(schema: Schema, type: protobuf.Type, payload: Uint8Array): ReadMessage {
  const read: ReadMessage = {fields: {}, unknownFields: [], notes: []};
  const message = schema.decode(type, payload);
  read.fields = new Reading(schema, read).message(type, message, '');
  return read;
}

type Decoded = protobuf.Message<object> & {$unknowns?: Uint8Array[]};

class Reading {
  readonly #schema: Schema;
  readonly #read: ReadMessage;

  constructor(schema: Schema, read: ReadMessage) {
    this.#schema = schema;
    this.#read = read;
  }

  message(type: protobuf.Type, message: Decoded, path: string): JsonObject {
    for (const field of (message.$unknowns ?? []).flatMap(wireFields)) this.#unknown(type, field, path);
    const values = message as unknown as Record<string, unknown>;
    // fromEntries makes own properties also of names such as __proto__.
    return Object.fromEntries(
      type.fieldsArray
        .filter((field) => Object.hasOwn(message, field.name) || !canBeAbsent(field))
        .map((field) => [field.name, this.#field(field, values[field.name], join(path, field.name))]),
    );
  }

  #field(field: protobuf.Field, value: unknown, path: string): JsonValue {
    const map = mapField(field);
    if (map !== undefined) return this.#map(map, value, path);
    if (!field.repeated) return this.#value(field, value, path);
    return (value as unknown[]).map((item, index) => this.#value(field, item, `${path}[${index}]`));
  }

  #map(field: protobuf.MapField, value: unknown, path: string): JsonObject {
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown>).map(([hash, item]) => {
        const key = isLong(field.keyType) ? this.#schema.mapKey(hash, isUnsigned(field.keyType)) : hash;
        return [key, this.#value(field, item, `${path}[${key}]`)];
      }),
    );
  }

  #value(field: protobuf.FieldBase, value: unknown, path: string): JsonValue {
    const {resolvedType} = field;
    if (resolvedType !== null) {
      if ('fields' in resolvedType) return this.message(resolvedType, value as Decoded, path);
      return this.#enum(resolvedType, value as number, path);
    }
    if (isLong(field.type)) return exactNumber(bigintOf(value as LongBits, isUnsigned(field.type)));
    if (field.type === 'bytes') return Buffer.from(value as Uint8Array).toString('hex');
    if (field.type === 'string' && (value as string).includes('\ufffd')) {
      this.#read.notes.push(`${path} holds U+FFFD, which broken UTF-8 reads as: no id may hold it`);
    }
    if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
    return value as string | number | boolean;
  }

  #enum(type: protobuf.Enum, value: number, path: string): JsonValue {
    const name = type.valuesById[value];
    if (name === undefined) this.#read.notes.push(`${path} is ${value}, which ${type.name} does not name`);
    return name ?? value;
  }

  #unknown(type: protobuf.Type, field: WireField, path: string): void {
    this.#read.unknownFields.push(path === '' ? field : {...field, in: path});
    const known = type.fieldsById[field.number];
    if (known !== undefined) {
      const name = join(path, known.name);
      this.#read.notes.push(`field ${field.number} came as ${field.wireType}, but ${name} is ${known.type}: ignored`);
    }
  }
}

interface LongBits {
  low: number;
  high: number;
}

/** The same field as what it is when it is a map. */
export function mapField(field: protobuf.FieldBase): protobuf.MapField | undefined {
  return field.map ? (field as protobuf.MapField) : undefined;
}

function canBeAbsent(field: protobuf.Field): boolean {
  const single = !field.repeated && !field.map;
  return Boolean(field.hasPresence) || (single && field.resolvedType !== null && 'fields' in field.resolvedType);
}

function isLong(type: string): boolean {
  return type.endsWith('64');
}

function isUnsigned(type: string): boolean {
  return type === 'uint64' || type === 'fixed64';
}

function bigintOf({low, high}: LongBits, unsigned: boolean): bigint {
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return unsigned ? bits : BigInt.asIntN(64, bits);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
