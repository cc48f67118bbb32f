import type protobuf from 'protobufjs';
import {messageOf, PaynetError} from '../errors.js';
import type {FrameFormat} from '../frame/index.js';
import {type Direction, typeText} from '../registry/index.js';
import type {ExplainedFrame, Explanation} from './explained.js';
import {type JsonObject, safeText} from './json.js';
import {type Meaning, readingOf} from './meaning.js';
import {paynetNotes} from './paynet-notes.js';
import {readMessage} from './read-message.js';
import type {Schema} from './schema.js';
import {type RawFrame, splitFrames} from './split.js';
import {type WireField, wireFields} from './wire.js';

export interface ExplainOptions {
  schema: Schema;
  meanings: readonly Meaning[];
  format: FrameFormat;
  /** Guessed from types and fields when it is not given. */
  direction?: Direction | undefined;
}

/**
 * Explains paynet frames. What cannot be cut into frames ends the explanation with a fault; a payload that is not what
 * its type says is a fault too, but the frames after it are still explained.
 */
export function explainPaynet(bytes: Buffer, options: ExplainOptions): Explanation {
  const {frames, fault} = splitFrames(bytes, options.format);
  const explained = frames.map((frame) => explainFrame(frame, options));
  const damaged = explained.filter(({whole}) => !whole);
  return {frames: explained, fault: fault ?? (damaged[0] && undecodable(damaged[0].frame))};
}

function explainFrame(raw: RawFrame, options: ExplainOptions): Explanation['frames'][number] & {whole: boolean} {
  const {schema, meanings} = options;
  const onWire = attempt(() => wireFields(raw.payload));
  const numbers = new Set((onWire.value ?? []).map(({number}) => number));
  const {meaning, direction, notes} = readingOf(meanings, raw.type, options.direction, numbers);
  const frame: ExplainedFrame = {
    protocol: 'paynet',
    direction,
    type: typeText(raw.type),
    name: meaning?.name ?? null,
    length: raw.bytes.readUInt32BE(0),
    offset: raw.offset,
    fields: {},
    unknownFields: [],
    notes,
    hex: raw.bytes.toString('hex'),
  };
  const remarks = new Map<string, string>();
  if (meaning === undefined) {
    frame.unknownFields = onWire.value ?? [];
    return {frame, remarks, whole: true};
  }
  const read = attempt(() => readMessage(schema, meaning.message, raw.payload));
  if (read.value === undefined) {
    notes.push(`the payload is no ${meaning.name}: ${safeText(read.error)}`);
    return {frame, remarks, whole: false};
  }
  frame.fields = read.value.fields;
  frame.unknownFields = read.value.unknownFields;
  notes.push(...read.value.notes, ...repeated(meaning.message, onWire.value ?? []));
  if (isBuiltIn(meaning)) notes.push(...paynetNotes(meaning.name, frame.fields, raw.payload.length));
  return {frame, remarks: remarksOn(meaning.message, frame.fields), whole: true};
}

function isBuiltIn({message}: Meaning): boolean {
  return message.fullName === `.paybox.${message.name}`;
}

/** Fields that stand in the payload more than once although they have one value. */
function repeated(message: protobuf.Type, onWire: readonly WireField[]): string[] {
  const seen = new Set<number>();
  const twice = new Set<string>();
  for (const {number} of onWire) {
    const field = message.fieldsById[number];
    if (field !== undefined && !field.repeated && !field.map && seen.has(number)) twice.add(field.name);
    seen.add(number);
  }
  return [...twice].map((name) => `${name} is there more than once: the last one counts`);
}

/** What a person wants to know beside a value: an enum's number, a time's date, the schema's comment. */
function remarksOn(message: protobuf.Type, fields: JsonObject): Map<string, string> {
  const remarks = new Map<string, string>();
  for (const field of message.fieldsArray) {
    const value = fields[field.name];
    const {resolvedType, comment} = field;
    const parts = [
      ...(resolvedType !== null && 'valuesById' in resolvedType && typeof value === 'string'
        ? [String(resolvedType.values[value])]
        : []),
      ...(field.name === 'timestamp' && typeof value === 'number' ? dateOf(value) : []),
      ...(comment === null ? [] : [comment.replace(/\s+/g, ' ')]),
    ];
    if (parts.length > 0) remarks.set(field.name, parts.join('; '));
  }
  return remarks;
}

function dateOf(time: number): string[] {
  const date = new Date(time);
  return time === 0 || Number.isNaN(date.getTime()) ? [] : [date.toISOString()];
}

function undecodable({type, name, offset, notes}: ExplainedFrame): PaynetError {
  const why = notes.find((note) => note.startsWith('the payload is no')) ?? '';
  return new PaynetError('PAYLOAD_UNDECODABLE', `At offset ${offset}: ${type} ${name}: ${why}.`, {
    hint: 'If the type is another message there, name it with --proto FILE --message TYPE=Name, or give --direction.',
  });
}

function attempt<T>(work: () => T): {value: T; error?: undefined} | {value?: undefined; error: string} {
  try {
    return {value: work()};
  } catch (error) {
    // Bytes cannot cause one: it would be a defect of ours.
    if (error instanceof TypeError) throw error;
    return {error: messageOf(error)};
  }
}
