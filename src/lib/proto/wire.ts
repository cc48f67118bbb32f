import {BinaryReader, WireType} from '@bufbuild/protobuf/wire';
import {exactNumber} from './json.js';

const NAMES: Readonly<Record<WireType, string>> = {
  [WireType.Varint]: 'varint',
  [WireType.Bit64]: 'fixed64',
  [WireType.LengthDelimited]: 'bytes',
  [WireType.StartGroup]: 'group',
  [WireType.EndGroup]: 'group end',
  [WireType.Bit32]: 'fixed32',
};

/** A field as it stands on the wire, known to a schema or not. */
export interface WireField {
  number: number;
  /** varint, fixed64, bytes, group or fixed32. */
  wireType: string;
  /** Bytes and groups as hex; a number over 2^53 as its digits. */
  value: number | string;
}

/** The fields of a message in the order of the wire. Throws when the bytes are no protobuf message. */
export function wireFields(bytes: Uint8Array): WireField[] {
  const reader = new BinaryReader(bytes);
  const fields: WireField[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    fields.push({number, wireType: NAMES[wireType], value: readValue(reader, number, wireType)});
  }
  return fields;
}

function readValue(reader: BinaryReader, number: number, wireType: WireType): number | string {
  switch (wireType) {
    case WireType.Varint:
      return exactNumber(BigInt(reader.uint64()));
    case WireType.Bit64:
      return exactNumber(BigInt(reader.fixed64()));
    case WireType.Bit32:
      return reader.fixed32();
    case WireType.LengthDelimited:
      return Buffer.from(reader.bytes()).toString('hex');
    default:
      return Buffer.from(reader.skip(wireType, number)).toString('hex');
  }
}
