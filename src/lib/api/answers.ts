import {randomUUID} from 'node:crypto';
import type {IncomingMessage} from 'node:http';
import type {Socket} from 'node:net';
import type {FastifyError, FastifyInstance, FastifyReply, FastifyRequest} from 'fastify';
import {codeOf} from '../errors.js';
import type {Log} from '../observe/index.js';
import {failure} from './envelope.js';
import {API_ERRORS, ApiError, type ApiErrorCode, type ApiErrorRow, asApiError} from './errors.js';

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's own number of the request, if it can go into a log as it is; else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
}

/** Answers with a row of the table. */
export function answerError(
  error: ApiError,
  request: FastifyRequest,
  reply: FastifyReply,
  now: () => number,
): FastifyReply {
  const {status, retryAfter}: ApiErrorRow = API_ERRORS[error.code as ApiErrorCode];
  const wait = error.retryAfter ?? retryAfter;
  if (wait !== undefined) reply.header('retry-after', wait);
  // What was not read of the request would be taken for the next one, or be read for nothing.
  if (!request.raw.complete) reply.header('connection', 'close');
  return reply
    .code(status)
    .header('x-request-id', request.id)
    .send(failure(error, request.id, now()));
}

/** One place for all errors: those of the table, those of the framework, and those that nobody expected. */
export function addErrorAnswers(app: FastifyInstance, log: Pick<Log, 'error'>, now: () => number): void {
  const routes: {method: string; path: RegExp}[] = [];
  app.addHook('onRoute', ({method, url}) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/:[a-z_]+/g, '[^/]+')}$`);
    for (const each of [method].flat()) routes.push({method: each, path});
  });

  app.setErrorHandler<FastifyError>((error, request, reply) => {
    const shown = asApiError(error);
    if (shown.code === 'INTERNAL' || shown.code === 'UNAVAILABLE' || shown.code === 'UNCERTAIN') {
      log.error({err: error, request: request.id, path: request.routeOptions.url}, 'a request has failed');
    }
    return answerError(shown, request, reply, now);
  });

  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = routes.filter((route) => route.path.test(path)).map(({method}) => method);
    if (allowed.length === 0) return answerError(new ApiError('NOT_FOUND'), request, reply, now);
    reply.header('allow', [...new Set(allowed)].join(', '));
    return answerError(new ApiError('METHOD_NOT_ALLOWED'), request, reply, now);
  });
}

/** Answers what is no request at all, or came too slowly; there is nothing of the framework yet. */
export function answerBroken(error: Error, socket: Socket, now: () => number): void {
  const code = codeOf(error);
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const shown = new ApiError(brokenAs(code));
  const {status} = API_ERRORS[shown.code as ApiErrorCode];
  const id = randomUUID();
  const body = JSON.stringify(failure(shown, id, now()));
  const head = [
    `HTTP/1.1 ${status} ${shown.code}`,
    'content-type: application/json; charset=utf-8',
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
