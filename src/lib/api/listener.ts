import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Log} from '../observe/index.js';
import {answerError, requestIdOf} from './answers.js';
import {ApiError, asApiError} from './errors.js';
import {EMPTY, type Exchange, type Route} from './exchange.js';
import type {Gate} from './gate.js';
import type {AddressOf} from './proxies.js';
import {Router} from './router.js';

export interface ListenerOptions {
  routes: readonly Route[];
  gate: Gate;
  addressOf: AddressOf;
  server: {ending: boolean};
  log: Pick<Log, 'debug' | 'error'>;
  now: () => number;
}

const LOGGED: ReadonlySet<string> = new Set(['INTERNAL', 'UNAVAILABLE', 'UNCERTAIN']);

/** Answers each request, with one place for all errors: those of the table, and those that nobody expected. */
export function createListener(
  options: ListenerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const {routes, gate, addressOf, server, log, now} = options;
  const router = new Router<Route>();
  for (const route of routes) router.add(route.method, route.path, route);

  return async (request, response) => {
    const begun = performance.now();
    const {method = '', url = ''} = request;
    const path = pathOf(url);
    const exchange: Exchange = {
      request,
      response,
      id: requestIdOf(request),
      method,
      url,
      path,
      address: addressOf(request),
      params: {},
      caller: undefined,
      rawBody: EMPTY,
      server,
    };
    let route: Route | undefined;
    let allowed: readonly string[] | undefined;
    try {
      const found = router.find(method, path);
      route = found.route;
      exchange.params = found.params;
      await gate(exchange, route === undefined ? scopeOfNothing(path) : route.scope);
      if (route === undefined) {
        if (found.allowed.length === 0) throw new ApiError('NOT_FOUND');
        allowed = found.allowed;
        throw new ApiError('METHOD_NOT_ALLOWED');
      }
      await route.handle(exchange);
    } catch (error) {
      const shown = asApiError(error);
      // Whoever is gone hears nothing, and has not found a failure of the server.
      if (response.destroyed || response.socket?.writable !== true) return;
      if (LOGGED.has(shown.code))
        log.error({err: error, request: exchange.id, path: route?.path}, 'a request has failed');
      if (response.headersSent) response.destroy();
      else answerError(exchange, shown, now(), allowed);
    }
    log.debug(
      {
        request: exchange.id,
        method,
        path: route?.path ?? 'unknown',
        status: response.statusCode,
        key: exchange.caller?.id,
        ms: Math.round(performance.now() - begun),
      },
      'request answered',
    );
  };
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Below the interface everything needs a key, what is not there included: strangers learn nothing. */
function scopeOfNothing(path: string): 'read' | undefined {
  return path === '/api/v1' || path.startsWith('/api/v1/') ? 'read' : undefined;
}
