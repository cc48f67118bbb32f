import type {IncomingMessage} from 'node:http';
import {setTimeout as pause} from 'node:timers/promises';
import {dataOf, readAnswer} from './answer.js';
import {CallError} from './errors.js';
import {createEventParser} from './event-parser.js';
import {type Limit, startLimit} from './limit.js';
import {send, type Target} from './send.js';
import {unreachable} from './unreachable.js';

export interface StreamEvent {
  id: string | undefined;
  /** `device`, `order`, `event`; `reset`: something was missed, read the lists again. */
  event: string;
  data: unknown;
}

export interface StreamOptions {
  /** What was seen last: what came after it comes first. */
  lastEventId?: string | undefined;
  /** How long it tries to come back after a loss, in milliseconds; 10 minutes unless given. */
  giveUpMs?: number;
  /** Silence after which the connection counts as lost, in milliseconds; 35 s unless given. */
  silenceMs?: number;
  /** Told whenever the stream is open, also again. */
  onOpen?(): void;
  /** Told of every loss, and of the pause before the next attempt. */
  onLost?(error: CallError, waitMs: number): void;
}

interface Way {
  target: Target;
  timeoutMs: number;
  signal: AbortSignal | undefined;
}

const PATH = '/api/v1/stream';
/** A server says something every 10 s. */
const SILENCE_MS = 35_000;
const PAUSE_MS = 2000;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 30_000;
const GIVE_UP_MS = 10 * 60_000;

/**
 * The live stream. It comes back by itself after a loss and asks for what it missed; the first attempt must succeed.
 * It ends when the client's signal is aborted.
 * @throws CallError when the first attempt fails, the server refuses it, or it cannot come back in time
 */
export async function* streamEvents(
  way: Way,
  {lastEventId, giveUpMs = GIVE_UP_MS, silenceMs = SILENCE_MS, onOpen, onLost}: StreamOptions = {},
): AsyncGenerator<StreamEvent, void, undefined> {
  let seen = lastEventId;
  let pauseMs = PAUSE_MS;
  let lostAt: number | undefined;
  let attempts = 0;
  let everOpen = false;
  const isAborted = (): boolean => way.signal?.aborted === true;
  while (!isAborted()) {
    const limit = startLimit(way.timeoutMs, way.signal);
    let response: IncomingMessage | undefined;
    try {
      response = await open(way.target, seen, limit);
      everOpen = true;
      onOpen?.();
      const parser = createEventParser();
      response.setEncoding('utf8');
      limit.restart(silenceMs);
      for await (const text of response as AsyncIterable<string>) {
        limit.restart(silenceMs);
        lostAt = undefined;
        attempts = 0;
        for (const {id, event, data} of parser.feed(text)) {
          seen = id ?? seen;
          yield {id, event, data: parsed(data)};
        }
        pauseMs = Math.max(parser.retryMs ?? pauseMs, SHORTEST_PAUSE_MS);
      }
      throw new CallError('SERVER_UNREACHABLE', 'The server has ended the live stream.');
    } catch (error) {
      if (isAborted()) return;
      const fault = faultOf(error, limit, way.target);
      const now = performance.now();
      lostAt ??= now;
      const waitMs = Math.max(Math.min(pauseMs * 2 ** attempts, LONGEST_PAUSE_MS), fault.retryAfterMs ?? 0);
      attempts = Math.min(attempts + 1, 10);
      if (!everOpen || !mayPass(fault) || now - lostAt + waitMs > giveUpMs) throw fault;
      onLost?.(fault, waitMs);
      limit.end();
      await pause(waitMs, undefined, {signal: way.signal}).catch(() => undefined);
    } finally {
      limit.end();
      response?.destroy();
    }
  }
}

async function open(target: Target, seen: string | undefined, {signal}: Limit): Promise<IncomingMessage> {
  const headers = {accept: 'text/event-stream', ...(seen !== undefined && {'last-event-id': seen})};
  const response = await send(target, {method: 'GET', path: PATH, body: new Uint8Array(), headers}, signal);
  const isStream = response.headers['content-type']?.startsWith('text/event-stream') ?? false;
  if (response.statusCode === 200 && isStream) return response;
  dataOf(response, await readAnswer(response, target.server), target.server, 'GET');
  throw new CallError('ANSWER_INVALID', `${target.server.origin} has no live stream.`, {
    status: response.statusCode,
    hint: 'Check that it is the address of its HTTP interface (api.addr), and what stands in front of it.',
  });
}

function faultOf(error: unknown, limit: Limit, {server}: Target): CallError {
  if (limit.isOver) {
    const hint = `Check the way to ${server.origin}.`;
    return new CallError('SERVER_TIMEOUT', 'The live stream has fallen silent.', {cause: error, hint});
  }
  return error instanceof CallError ? error : unreachable(error, server, false);
}

/** Whether it may be better in a moment. */
function mayPass({code, status = 0}: CallError): boolean {
  return code === 'SERVER_UNREACHABLE' || code === 'SERVER_TIMEOUT' || status === 429 || status >= 500;
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new CallError('ANSWER_INVALID', 'The live stream holds something that is no JSON.', {cause});
  }
}
