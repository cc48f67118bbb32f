import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createEventParser, type RawEvent} from '../../src/lib/client/event-parser.js';

const STREAM =
  ': heartbeat\n\nretry: 150\n\nid: a-1\nevent: order\ndata: {"a":1}\n\ndata: one\r\ndata:two\r\n\r\nid: a-3\revent: device\rdata: 3\r\rid: 9\n\nevent: x\ndata\n\n';
const EVENTS: RawEvent[] = [
  {id: 'a-1', event: 'order', data: '{"a":1}'},
  {id: undefined, event: 'message', data: 'one\ntwo'},
  {id: 'a-3', event: 'device', data: '3'},
  {id: undefined, event: 'x', data: ''},
];

describe('the parser of server-sent events', () => {
  it('reads the same events however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({min: 1, max: 12}), {minLength: 30, maxLength: 200}), (sizes) => {
        const parser = createEventParser();
        const events: RawEvent[] = [];
        let at = 0;
        for (const size of sizes) {
          events.push(...parser.feed(STREAM.slice(at, at + size)));
          at += size;
        }
        events.push(...parser.feed(STREAM.slice(at)));
        expect(events).toEqual(EVENTS);
        expect(parser.retryMs).toBe(150);
      }),
    );
  });

  it('gives nothing before an event is whole', () => {
    const parser = createEventParser();
    expect(parser.feed('id: 1\ndata: x\n')).toEqual([]);
    expect(parser.feed('\n')).toEqual([{id: '1', event: 'message', data: 'x'}]);
  });

  it.each(['data: x', 'data: x\n'])('refuses what never ends (%j over and over)', (piece) => {
    const parser = createEventParser();
    expect(() => {
      for (let fed = 0; fed < 2 * 1024 * 1024; fed += piece.length * 1000) parser.feed(piece.repeat(1000));
    }).toThrow(expect.objectContaining({code: 'ANSWER_TOO_LARGE'}));
  });
});
