import {randomUUID} from 'node:crypto';
import type {IncomingMessage} from 'node:http';
import type {Socket} from 'node:net';
import {codeOf} from '../errors.js';
import {failure} from './envelope.js';
import {API_ERRORS, ApiError, type ApiErrorCode, type ApiErrorRow} from './errors.js';
import {type Exchange, JSON_TYPE, respond} from './exchange.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's own number of the request, if it can go into a log as it is; else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Answers with a row of the table. `allowed`: the methods that are there instead. */
export function answerError(exchange: Exchange, error: ApiError, now: number, allowed?: readonly string[]): void {
  const {status, retryAfter}: ApiErrorRow = API_ERRORS[error.code as ApiErrorCode];
  const wait = error.retryAfter ?? retryAfter;
  respond(exchange, status, JSON_TYPE, JSON.stringify(failure(error, exchange.id, now)), {
    ...(wait !== undefined && {'retry-after': String(wait)}),
    ...(allowed !== undefined && {allow: allowed.join(', ')}),
    // What was not read of the request would be taken for the next one, or be read for nothing.
    ...(!exchange.request.complete && {connection: 'close'}),
  });
}

/** Answers what is no request at all, or came too slowly; there is no response to write to. */
export function answerBroken(error: Error, socket: Socket, now: number): void {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const shown = new ApiError(brokenAs(code));
  const {status} = API_ERRORS[shown.code as ApiErrorCode];
  const id = randomUUID();
  const body = JSON.stringify(failure(shown, id, now));
  const head = [
    `HTTP/1.1 ${status} ${shown.code}`,
    `content-type: ${JSON_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function brokenAs(code: string | undefined): ApiErrorCode {
  if (code === 'HPE_HEADER_OVERFLOW') return 'HEADERS_TOO_LARGE';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'REQUEST_TIMEOUT' : 'INVALID_PARAMETER';
}
