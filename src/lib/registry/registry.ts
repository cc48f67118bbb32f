import {PaynetError} from '../errors.js';
import {type Codec, type Direction, type Handler, type MessageDefinition, typeText} from './message.js';
import {type DownMessages, isReservedType, payboxMessages, type UpMessages} from './paybox.js';
import {type GeneratedMessage, protoCodec} from './proto-codec.js';

const TYPES = 256;

/** A message to register: its codec may be ours or the object that ts-proto generates. */
export interface Registration<T> {
  /** 0 to 255; 0xF0 to 0xFE only with `reserved`. */
  type: number;
  direction: Direction;
  name: string;
  codec: Codec<T> | GeneratedMessage<T>;
  handler?: Handler<T>;
  /** Says that a type reserved for diagnostics is meant. */
  reserved?: boolean;
}

/**
 * Which message a (type, direction) is. It starts with the built-in paybox messages; a project adds its own.
 * After the server or client has been made with it, it does not change any more.
 */
export class MessageRegistry {
  readonly #slots: Record<Direction, (MessageDefinition | undefined)[]> = {
    up: new Array(TYPES).fill(undefined),
    down: new Array(TYPES).fill(undefined),
  };
  readonly #byName: Record<Direction, Map<string, MessageDefinition>> = {up: new Map(), down: new Map()};

  constructor() {
    for (const definition of payboxMessages()) this.#put(definition);
  }

  /**
   * Adds a message. Throws TYPE_INVALID, TYPE_RESERVED, TYPE_TAKEN or NAME_TAKEN: each says what stands there already.
   */
  mustRegister<T>(registration: Registration<T>): void {
    const {type, direction, name, codec, handler, reserved} = registration;
    if (!Number.isInteger(type) || type < 0 || type >= TYPES) {
      throw new PaynetError('TYPE_INVALID', `${name}: a type is a whole number from 0x00 to 0xFF, not ${type}`);
    }
    if (direction !== 'up' && direction !== 'down') {
      throw new PaynetError('TYPE_INVALID', `${name}: a direction is "up" (device to server) or "down"`);
    }
    if (isReservedType(type) && reserved !== true) {
      throw new PaynetError('TYPE_RESERVED', `${name}: ${typeText(type)} is reserved for diagnostics (0xF0 to 0xFE)`, {
        hint: 'Choose a free type, or pass reserved: true if a diagnostic message is meant.',
      });
    }
    const holder = this.lookup(type, direction);
    if (holder !== undefined) {
      throw new PaynetError('TYPE_TAKEN', `${name}: ${typeText(type)} ${direction} is ${holder.name} already`, {
        hint: `Free types ${direction}: ${this.freeTypes(direction).slice(0, 3).map(typeText).join(', ')}, …`,
      });
    }
    if (this.#byName[direction].has(name)) {
      throw new PaynetError('NAME_TAKEN', `${name} is registered ${direction} already`);
    }
    const definition: MessageDefinition<T> = {type, direction, name, codec: asCodec(codec)};
    if (handler !== undefined) definition.handler = handler;
    this.#put(definition as MessageDefinition);
  }

  /** As `mustRegister`, but answers the error instead of throwing it; undefined when the message was added. */
  register<T>(registration: Registration<T>): PaynetError | undefined {
    try {
      this.mustRegister(registration);
      return undefined;
    } catch (error) {
      if (error instanceof PaynetError) return error;
      throw error;
    }
  }

  /** Gives a registered message its handler. Throws TYPE_UNKNOWN, or HANDLER_TAKEN when it has one. */
  handle<K extends keyof UpMessages>(type: K, direction: 'up', handler: Handler<UpMessages[K]>): void;
  handle<K extends keyof DownMessages>(type: K, direction: 'down', handler: Handler<DownMessages[K]>): void;
  handle<T>(type: number, direction: Direction, handler: Handler<T>): void;
  handle(type: number, direction: Direction, handler: Handler<never>): void {
    const definition = this.lookup(type, direction);
    if (definition === undefined) {
      throw new PaynetError('TYPE_UNKNOWN', `no message is registered for ${typeText(type)} ${direction}`);
    }
    if (definition.handler !== undefined) {
      throw new PaynetError(
        'HANDLER_TAKEN',
        `${definition.name} (${typeText(type)} ${direction}) has a handler already`,
      );
    }
    definition.handler = handler as Handler<unknown>;
  }

  lookup(type: number, direction: Direction): MessageDefinition | undefined {
    return this.#slots[direction][type];
  }

  byName(name: string, direction: Direction): MessageDefinition | undefined {
    return this.#byName[direction].get(name);
  }

  /** Every registered message, by direction and type. */
  list(): MessageDefinition[] {
    return [...this.#slots.up, ...this.#slots.down].filter((definition) => definition !== undefined);
  }

  freeTypes(direction: Direction): number[] {
    return Array.from({length: TYPES}, (_, type) => type).filter(
      (type) => type > 0 && !isReservedType(type) && this.lookup(type, direction) === undefined,
    );
  }

  #put(definition: MessageDefinition): void {
    this.#slots[definition.direction][definition.type] = definition;
    this.#byName[definition.direction].set(definition.name, definition);
  }
}

function asCodec<T>(codec: Codec<T> | GeneratedMessage<T>): Codec<T> {
  // ts-proto's decode takes (input, length?), ours (bytes, start, end).
  return codec.decode.length >= 3 ? (codec as Codec<T>) : protoCodec(codec as GeneratedMessage<T>);
}
