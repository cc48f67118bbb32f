import {setTimeout as pause} from 'node:timers/promises';
import {UsageError} from '../errors.js';
import {dataOf, readAnswer} from './answer.js';
import {CallError} from './errors.js';
import {type Limit, startLimit} from './limit.js';
import {type Message, send, type Target} from './send.js';
import {parseServer} from './server-url.js';
import {type StreamEvent, type StreamOptions, streamEvents} from './stream.js';
import {unreachable} from './unreachable.js';

export interface ClientOptions {
  /** "https://host:port"; see `parseServer`. */
  server: string | URL;
  key: string;
  /** Without it requests are not signed, which a server may refuse. */
  hmacSecret?: string | undefined;
  /** PEM of the authority of an https server, instead of those that Node knows. */
  ca?: string | undefined;
  /** For one request and its whole answer, in milliseconds. */
  timeoutMs: number;
  /** Ends every call and stream. */
  signal?: AbortSignal | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface PostOptions {
  query?: Query;
  /** Sent as JSON; {} unless given. */
  body?: object;
  /** The same request under the same key is done once. */
  idempotencyKey?: string | undefined;
}

/** Every call answers the `data` of the interface, and throws CallError. */
export interface Client {
  /** Repeated once, after as long as the server says (at most 30 s), when it is busy: HTTP 429 or 503. */
  get<T>(path: string, query?: Query): Promise<T>;
  /** Never repeated. */
  post<T>(path: string, options?: PostOptions): Promise<T>;
  /** What changes, as it changes; see `streamEvents`. */
  stream(options?: StreamOptions): AsyncGenerator<StreamEvent, void, undefined>;
}

const LONGEST_WAIT_MS = 30_000;
const NOTHING = new Uint8Array();
/** What can stand in a header. */
const KEY = /^[\x21-\x7e]{1,512}$/;

/** @throws UsageError when the server is no URL, or the key no key */
export function createClient(options: ClientOptions): Client {
  const server = parseServer(String(options.server));
  const {key, hmacSecret, ca, timeoutMs, signal} = options;
  if (!KEY.test(key)) throw new UsageError('The API key holds characters that no key has, or is empty.');
  const target: Target = {server, key, hmacSecret, ca};

  async function call<T>(message: Message): Promise<T> {
    const limit = startLimit(timeoutMs, signal);
    let hasAnswer = false;
    try {
      const response = await send(target, message, limit.signal);
      hasAnswer = true;
      const body = await readAnswer(response, server);
      return dataOf(response, body, server, message.method) as T;
    } catch (error) {
      throw asCallError(error, limit, message, hasAnswer);
    } finally {
      limit.end();
    }
  }

  function asCallError(error: unknown, limit: Limit, {method}: Message, hasAnswer: boolean): CallError {
    const known = error instanceof CallError ? error : undefined;
    const isUncertain = method === 'POST' && (known?.isUncertain ?? hasAnswer);
    if (limit.isOver) {
      return new CallError('SERVER_TIMEOUT', `The server did not answer within ${timeoutMs / 1000} s.`, {
        cause: error,
        isUncertain,
        hint: `Check the way to ${server.origin}, and whether the server is overloaded.`,
      });
    }
    if (signal?.aborted === true) {
      return new CallError('CALL_ABORTED', 'The call was ended before the server answered.', {
        cause: error,
        isUncertain,
      });
    }
    return known ?? unreachable(error, server, isUncertain);
  }

  return {
    async get<T>(path: string, query?: Query): Promise<T> {
      const message = {method: 'GET', path: withQuery(path, query), body: NOTHING} as const;
      try {
        return await call<T>(message);
      } catch (error) {
        const wait = busyFor(error);
        if (wait === undefined || wait > LONGEST_WAIT_MS) throw error;
        await pause(wait, undefined, {signal}).catch(() => {
          throw error;
        });
        return call<T>(message);
      }
    },

    post<T>(path: string, {query, body = {}, idempotencyKey}: PostOptions = {}): Promise<T> {
      return call<T>({
        method: 'POST',
        path: withQuery(path, query),
        body: Buffer.from(JSON.stringify(body)),
        ...(idempotencyKey !== undefined && {headers: {'idempotency-key': idempotencyKey}}),
      });
    },

    stream: (streamOptions) => streamEvents({target, timeoutMs, signal}, streamOptions),
  };
}

function busyFor(error: unknown): number | undefined {
  if (!(error instanceof CallError) || (error.status !== 429 && error.status !== 503)) return undefined;
  return error.retryAfterMs;
}

function withQuery(path: string, query: Query = {}): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? path : `${path}?${given}`;
}
