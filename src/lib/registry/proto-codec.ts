import {BinaryReader} from '@bufbuild/protobuf/wire';
import type {Codec} from './message.js';

/** What ts-proto generates for a message. */
export interface GeneratedMessage<T> {
  encode(message: T): {finish(): Uint8Array};
  decode(input: BinaryReader | Uint8Array, length?: number): T;
}

/** Refuses values that some encoders would wrap silently; throws RangeError naming the field. */
export type RangeCheck<T> = (message: T) => void;

// Frames of one chunk are decoded one after another: they share a reader, which costs more than a small message.
let reader = new BinaryReader(new Uint8Array(0));
let readerBytes: Uint8Array | undefined;

function readerOver(bytes: Uint8Array): BinaryReader {
  if (bytes !== readerBytes) {
    reader = new BinaryReader(bytes);
    readerBytes = bytes;
  }
  return reader;
}

/** Lets the last chunk go: called when a chunk has been read to its end. */
export function releaseReader(): void {
  readerBytes = undefined;
}

/** A codec over generated code. */
export function protoCodec<T>(generated: GeneratedMessage<T>, check?: RangeCheck<T>): Codec<T> {
  return {
    encode(message) {
      check?.(message);
      return generated.encode(message).finish();
    },
    decode(bytes, start, end) {
      const source = readerOver(bytes);
      source.pos = start;
      const message = generated.decode(source, end - start);
      // The reader sees the whole chunk: a field that claims to reach past this frame has read its neighbour.
      if (source.pos !== end) throw new RangeError('a field reaches past the end of the payload');
      return message;
    },
  };
}
