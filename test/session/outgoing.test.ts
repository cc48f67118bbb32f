import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {encodeFrame, type FrameFormat} from '../../src/lib/frame/index.js';
import {Outgoing, type Transmitter} from '../../src/lib/session/index.js';

const format: FrameFormat = {length: 'type+payload', maxFrame: 200_000};

class Sink implements Transmitter {
  writes: Buffer[] = [];
  transmit(bytes: Buffer): void {
    this.writes.push(bytes);
  }
  get bytes(): Buffer {
    return Buffer.concat(this.writes);
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is sent', () => {
  it('in one turn is one write, in order', async () => {
    const outgoing = new Outgoing();
    const sink = new Sink();
    const frames = Array.from({length: 20}, (_, index) => Buffer.alloc(index, index));
    for (const [type, payload] of frames.entries()) outgoing.frame(sink, type, payload, format);
    expect(sink.writes).toEqual([]);
    await turn();
    expect(sink.writes).toHaveLength(1);
    expect(sink.bytes).toEqual(Buffer.concat(frames.map((payload, type) => encodeFrame(type, payload, format))));
  });

  it('in answer to a chunk goes out at the end of the chunk, not in the middle and not a turn later', async () => {
    const outgoing = new Outgoing();
    const sink = new Sink();
    outgoing.hold();
    outgoing.frame(sink, 1, Buffer.of(1), format);
    await turn();
    expect(sink.writes).toEqual([]);
    outgoing.frame(sink, 2, Buffer.of(2), format);
    outgoing.release();
    expect(sink.writes).toHaveLength(1);
    await turn();
    expect(sink.writes).toHaveLength(1);
  });

  it("to several in turn keeps each one's order and mixes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(2), fc.uint8Array({maxLength: 300}), fc.boolean()), {maxLength: 40}),
        async (sends) => {
          const outgoing = new Outgoing();
          const sinks = [new Sink(), new Sink(), new Sink()];
          const expected: Buffer[][] = [[], [], []];
          for (const [to, payload, raw] of sends) {
            const sink = sinks[to] as Sink;
            if (raw) outgoing.bytes(sink, payload);
            else outgoing.frame(sink, to, payload, format);
            expected[to]?.push(raw ? Buffer.from(payload) : encodeFrame(to, payload, format));
          }
          await turn();
          for (const [index, sink] of sinks.entries()) {
            expect(sink.bytes).toEqual(Buffer.concat(expected[index] ?? []));
          }
        },
      ),
    );
  });

  it('may be larger than what is gathered, and keeps its place', async () => {
    const outgoing = new Outgoing();
    const sink = new Sink();
    const sizes = [10, 65_536 - 15, 1, 65_531, 65_532, 150_000, 3];
    for (const [type, size] of sizes.entries()) outgoing.frame(sink, type, Buffer.alloc(size, type), format);
    outgoing.bytes(sink, Buffer.alloc(70_000, 9));
    await turn();
    expect(sink.bytes).toEqual(
      Buffer.concat([
        ...sizes.map((size, type) => encodeFrame(type, Buffer.alloc(size, type), format)),
        Buffer.alloc(70_000, 9),
      ]),
    );
  });

  it('over the limit is refused, and leaves nothing of itself behind', async () => {
    const small: FrameFormat = {length: 'type+payload', maxFrame: 10};
    const outgoing = new Outgoing();
    const sink = new Sink();
    outgoing.frame(sink, 1, Buffer.of(1), small);
    expect(() => outgoing.frame(sink, 2, Buffer.alloc(10), small)).toThrow(/over the limit of 10/);
    expect(() => outgoing.frame(sink, 2, Buffer.alloc(100_000), small)).toThrow(/over the limit of 10/);
    outgoing.frame(sink, 3, Buffer.of(3), small);
    await turn();
    expect(sink.bytes).toEqual(Buffer.concat([encodeFrame(1, Buffer.of(1)), encodeFrame(3, Buffer.of(3))]));
  });

  it('is not changed by what is sent later, while the socket still holds it', async () => {
    const outgoing = new Outgoing();
    const sink = new Sink();
    outgoing.frame(sink, 1, Buffer.of(1, 1, 1), format);
    outgoing.flush();
    const copy = Buffer.from(sink.bytes);
    outgoing.frame(sink, 2, Buffer.of(2, 2, 2), format);
    outgoing.flush();
    expect(sink.writes[0]).toEqual(copy);
  });

  it('by a transmitter that sends while it is written to, keeps its order', async () => {
    const outgoing = new Outgoing();
    const other = new Sink();
    const sink: Transmitter & {writes: Buffer[]} = {
      writes: [],
      transmit(bytes) {
        this.writes.push(bytes);
        if (this.writes.length === 1) outgoing.frame(other, 7, Buffer.of(7), format);
      },
    };
    outgoing.frame(sink, 1, Buffer.of(1), format);
    await turn();
    expect(Buffer.concat(sink.writes)).toEqual(encodeFrame(1, Buffer.of(1)));
    expect(other.bytes).toEqual(encodeFrame(7, Buffer.of(7)));
  });
});
