/** `up` is device to server, `down` is server to device: the same type can be another message the other way. */
export type Direction = 'up' | 'down';

export const otherWay = (direction: Direction): Direction => (direction === 'up' ? 'down' : 'up');

/** Bytes of a payload to a message and back. */
export interface Codec<T> {
  /** Throws when a value is out of its field's range; nothing is ever wrapped or cut. */
  encode(message: T): Uint8Array;
  /** Reads the payload from `start` to before `end` of `bytes`; throws when it is not such a message. */
  decode(bytes: Uint8Array, start: number, end: number): T;
}

/** What a handler may know and do. */
export interface HandlerContext {
  /** The device at the other end (server side) or this device (device side); empty before login. */
  readonly deviceId: string;
  /** Unique in this process. */
  readonly connectionId: string;
  /** The handlers' own notes on this connection; gone with it. */
  readonly attributes: Map<string, unknown>;
  /**
   * Sends a message of the registry to the other end.
   * Throws MESSAGE_UNKNOWN, a RangeError for a value out of range, or CONNECTION_CLOSED.
   */
  send(name: string, message: object): void;
}

/**
 * Messages of one connection are handled one at a time, in order; a promise holds the next one back. What it throws
 * is logged and counted, and the other end gets an ErrorMsg; the connection stays.
 */
export type Handler<T> = (context: HandlerContext, message: T) => void | Promise<void>;

export interface MessageDefinition<T = unknown> {
  /** 0 to 255. */
  type: number;
  direction: Direction;
  /** Unique within a direction. */
  name: string;
  codec: Codec<T>;
  handler?: Handler<T>;
}

/** A type as the documents write it: 0x05. */
export function typeText(type: number): string {
  return `0x${type.toString(16).padStart(2, '0').toUpperCase()}`;
}
