import {CallError} from './errors.js';

/** An event as server-sent events write it. */
export interface RawEvent {
  id: string | undefined;
  event: string;
  data: string;
}

export interface EventParser {
  /** The events that a piece of the stream completes. @throws CallError ANSWER_TOO_LARGE */
  feed(text: string): RawEvent[];
  /** The pause before the next attempt that the server has asked for, in milliseconds. */
  readonly retryMs: number | undefined;
}

/** One event, or one line, in UTF-16 units. */
const MAX_EVENT = 1024 * 1024;

export function createEventParser(): EventParser {
  let rest = '';
  let retryMs: number | undefined;
  let id: string | undefined;
  let event = '';
  let data: string[] = [];
  let size = 0;

  function field(line: string): void {
    const [, name = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === 'id') id = value;
    else if (name === 'event') event = value;
    else if (name === 'data') data.push(value);
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }

  function take(): RawEvent[] {
    // An event without data says nothing.
    const made = data.length === 0 ? [] : [{id, event: event === '' ? 'message' : event, data: data.join('\n')}];
    id = undefined;
    event = '';
    data = [];
    size = 0;
    return made;
  }

  return {
    get retryMs() {
      return retryMs;
    },
    feed(text) {
      // The second half of a line end may come with the next piece.
      const lines = `${rest}${text}`.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      const events: RawEvent[] = [];
      for (const line of lines) {
        size += line.length;
        if (line === '') events.push(...take());
        else field(line);
      }
      if (size + rest.length > MAX_EVENT) {
        throw new CallError('ANSWER_TOO_LARGE', 'An event of the live stream is larger than 1 MiB.');
      }
      return events;
    },
  };
}
