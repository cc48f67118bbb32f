import {randomBytes} from 'node:crypto';
import type {ServerResponse} from 'node:http';
import {ApiError} from './errors.js';
import type {Change} from './ports.js';
import {toWire} from './wire.js';

export interface StreamLimits {
  /** Streams that are open at the same time. */
  streams: number;
  /** Unsent bytes after which a reader is too slow. */
  backlogBytes: number;
  /** Changes that are kept for readers that come back. */
  kept: number;
  heartbeatMs: number;
}

export interface LiveStream {
  /**
   * Writes changes to a response until it closes. `lastEventId`: what the reader saw last; what came after it is
   * written first, or an event `reset` when that is no longer known.
   * @throws ApiError UNAVAILABLE
   */
  open(response: ServerResponse, lastEventId: string | undefined, isAllowed: () => Promise<boolean>): void;
  /** Ends all streams; closing twice is fine. */
  close(): void;
}

interface Kept {
  number: number;
  text: string;
}

/** All changes together, so that what is kept has a bound in bytes too. */
const KEPT_CHARS = 512 * 1024;
/** How long changes are kept for the last reader to come back. */
const LINGER_MS = 60_000;

/**
 * The live stream of changes (server-sent events). Without readers it listens to nothing: each change costs its text.
 * `lingerMs`: how long it goes on listening after the last reader has gone.
 */
export function createStream(
  subscribe: (changed: (change: Change) => void) => () => void,
  limits: StreamLimits,
  lingerMs: number = LINGER_MS,
): LiveStream {
  // A number from before the server's start, or from before a time in which nobody listened, is not one of this life.
  let life = newLife();
  const readers = new Map<ServerResponse, () => Promise<boolean>>();
  const kept: Kept[] = [];
  let keptChars = 0;
  let last = 0;
  let closed = false;
  let unsubscribe: (() => void) | undefined;
  let lingering: NodeJS.Timeout | undefined;

  function write(response: ServerResponse, text: string): void {
    response.write(text);
    if (response.writableLength > limits.backlogBytes) drop(response);
  }

  function drop(response: ServerResponse): void {
    gone(response);
    response.destroy();
  }

  function gone(response: ServerResponse): void {
    if (!readers.delete(response) || readers.size > 0 || closed) return;
    lingering = setTimeout(sleep, lingerMs).unref();
  }

  /** What happens from now on is not known to anybody: the next reader begins anew. */
  function sleep(): void {
    unsubscribe?.();
    unsubscribe = undefined;
    life = newLife();
    kept.length = 0;
    keptChars = 0;
    last = 0;
  }

  function tell({kind, data}: Change): void {
    last += 1;
    const text = `id: ${life}-${last}\nevent: ${kind}\ndata: ${JSON.stringify(toWire(data))}\n\n`;
    kept.push({number: last, text});
    keptChars += text.length;
    while (kept.length > limits.kept || keptChars > KEPT_CHARS) keptChars -= kept.shift()?.text.length ?? 0;
    for (const response of readers.keys()) write(response, text);
  }

  async function beat(response: ServerResponse, isAllowed: () => Promise<boolean>): Promise<void> {
    // A key that was revoked, or a store that cannot say: either way the reader may ask again.
    const allowed = await isAllowed().catch(() => false);
    if (!readers.has(response)) return;
    if (allowed) write(response, ': heartbeat\n\n');
    else drop(response);
  }

  const heartbeat = setInterval(() => {
    for (const [response, isAllowed] of readers) void beat(response, isAllowed);
  }, limits.heartbeatMs);
  heartbeat.unref();

  return {
    open(response, lastEventId, isAllowed) {
      if (closed || readers.size >= limits.streams) {
        throw new ApiError('UNAVAILABLE', 'too many streams are open');
      }
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-accel-buffering': 'no',
      });
      response.on('close', () => gone(response));
      response.on('error', () => drop(response));
      clearTimeout(lingering);
      unsubscribe ??= subscribe(tell);
      const missed = lastEventId === undefined ? [] : after(lastEventId);
      response.write('retry: 2000\n\n');
      if (missed === undefined) response.write(`id: ${life}-${last}\nevent: reset\ndata: {}\n\n`);
      else for (const {text} of missed) response.write(text);
      readers.set(response, isAllowed);
    },

    close() {
      if (closed) return;
      closed = true;
      unsubscribe?.();
      clearTimeout(lingering);
      clearInterval(heartbeat);
      for (const response of readers.keys()) response.end();
      readers.clear();
    },
  };

  /** What came after an id; undefined when something between is no longer kept. */
  function after(id: string): Kept[] | undefined {
    const [, itsLife, digits] = /^([0-9a-f]{8})-(\d{1,15})$/.exec(id) ?? [];
    const number = Number(digits);
    if (itsLife !== life || number > last) return undefined;
    const first = kept[0]?.number ?? last + 1;
    if (number + 1 < first) return undefined;
    return kept.slice(number + 1 - first);
  }
}

const newLife = (): string => randomBytes(4).toString('hex');
