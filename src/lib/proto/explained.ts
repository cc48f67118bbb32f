import type {PaynetError} from '../errors.js';
import type {Direction} from '../registry/index.js';
import type {JsonObject} from './json.js';
import type {UnknownField} from './read-message.js';

/** A frame in words: the stable format of `frame decode --json`, the same for every protocol. */
export interface ExplainedFrame {
  protocol: string;
  /** Null when the bytes do not tell. */
  direction: Direction | null;
  /** "0x84". */
  type: string;
  /** Null when the type is unknown. */
  name: string | null;
  /** The frame's own length field; what it counts is the protocol's matter. */
  length: number;
  /** Of the frame's first byte in the input. */
  offset: number;
  /** By the names of the protocol; enums by name, bytes as hex, a number over 2^53 as its digits. */
  fields: JsonObject;
  unknownFields: UnknownField[];
  /** What is unusual, doubtful or refused. */
  notes: string[];
  /** The whole frame. */
  hex: string;
}

export interface Explanation {
  /** Each frame, and what a person may want to know beside the values of its fields. */
  frames: {frame: ExplainedFrame; remarks: ReadonlyMap<string, string>}[];
  /** Why not everything could be explained. */
  fault: PaynetError | undefined;
}
