import type {IncomingMessage, OutgoingHttpHeaders, ServerResponse} from 'node:http';
import type {ActiveKey, Scope} from './keys.js';

/** A request and what is known of it so far. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The number of the request, for its sender and for the log. */
  readonly id: string;
  readonly method: string;
  /** Path and query, as received. */
  readonly url: string;
  readonly path: string;
  /** Of the sender; that of the proxy's client when the proxy is trusted. */
  readonly address: string;
  /** What stands for ":name" in the path of the route. */
  params: Record<string, string>;
  /** Who calls; undefined where nobody needs to say. */
  caller: ActiveKey | undefined;
  /** As it came in; empty when nothing did. */
  rawBody: Uint8Array;
  readonly server: {
    /** Whether it is to be the last request of its connection. */
    ending: boolean;
  };
}

/** What stands at one path for one method. */
export interface Route {
  readonly method: 'GET' | 'POST';
  /** ":name" is any one segment. */
  readonly path: string;
  /** What a key needs for this; without one it is for everybody. */
  readonly scope?: Scope;
  /** Answers. What it throws is answered as an error. */
  handle(exchange: Exchange): void | Promise<void>;
}

export const EMPTY = new Uint8Array();
export const JSON_TYPE = 'application/json; charset=utf-8';

export function respond(
  {response, id, server}: Exchange,
  status: number,
  type: string,
  body: string,
  more?: OutgoingHttpHeaders,
): void {
  const headers: OutgoingHttpHeaders = {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-request-id': id,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  };
  if (server.ending) headers.connection = 'close';
  if (more !== undefined) Object.assign(headers, more);
  response.writeHead(status, headers);
  response.end(body);
}
