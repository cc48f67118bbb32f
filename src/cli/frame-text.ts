import type {FrameFormat} from '../lib/frame/index.js';
import {type Explanation, type JsonValue, safeJson, type UnknownField, wayText} from '../lib/proto/index.js';
import {color} from './color.js';

const HEX_SHOWN = 96;

/** A frame for a person: what it is, each field with what there is to say about it, and what is unusual. */
export function frameText({frame, remarks}: Explanation['frames'][number], counts: FrameFormat['length']): string {
  const names = Object.keys(frame.fields);
  const width = Math.max(0, ...names.map((name) => name.length));
  const bytes = frame.hex.length / 2;
  return [
    `${color.bold(`${frame.type} ${frame.name ?? 'unknown message'}`)}  ${wayText(frame.direction)}`,
    color.dim(
      `  offset ${frame.offset}, ${bytes} bytes, Len ${frame.length} (${counts === 'payload' ? 'payload' : 'type + payload'})`,
    ),
    color.dim(`  ${shorten(frame.hex)}`),
    ...names.map((name) => fieldText(name.padEnd(width), frame.fields[name] ?? '', remarks.get(name))),
    ...frame.unknownFields.map(unknownText),
    ...frame.notes.map((note) => color.yellow(`  note: ${note}`)),
  ].join('\n');
}

function fieldText(name: string, value: JsonValue, remark: string | undefined): string {
  return `  ${color.cyan(name)} = ${safeJson(value)}${remark === undefined ? '' : color.dim(`  (${remark})`)}`;
}

function unknownText({number, wireType, value, in: path}: UnknownField): string {
  const where = path === undefined ? '' : ` in ${path}`;
  return color.yellow(`  unknown field ${number}${where} (${wireType}) = ${shorten(String(value))}`);
}

function shorten(hex: string): string {
  return hex.length > HEX_SHOWN ? `${hex.slice(0, HEX_SHOWN)}… (${hex.length / 2} bytes)` : hex;
}
