import type {Route} from '../exchange.js';
import type {ApiKeys} from '../keys.js';
import {type Documented, failureAnswer, operationId} from '../openapi.js';
import {object} from '../schema.js';
import type {LiveStream} from '../stream.js';
import {checkOf} from '../validate.js';
import {queryOf} from '../wire.js';

const EXAMPLE = 'id: 5f3e9a10-17\nevent: order\ndata: {"order_no":"THD1762863000001","status":"running"}\n\n';
const PATH = '/api/v1/stream';

/** GET /api/v1/stream: what changes, as it changes. */
export function streamRoute(stream: LiveStream, keys: ApiKeys): Route {
  const checkQuery = checkOf(object({}), 'query');
  return {
    method: 'GET',
    path: PATH,
    scope: 'read',
    handle({request, response, id, url, caller}) {
      checkQuery(queryOf(url));
      const seen = request.headers['last-event-id'];
      response.setHeader('x-request-id', id);
      stream.open(response, typeof seen === 'string' ? seen : undefined, () => keys.isInForce(caller?.id ?? ''));
    },
  };
}

export const streamDocumented: Documented = {
  method: 'GET',
  path: PATH,
  operation: {
    operationId: operationId('GET', PATH),
    summary: 'Follow changes of devices, orders and events',
    description:
      'Server-sent events named `device`, `order` and `event`. A reader that comes back sends `Last-Event-ID` and gets what it missed, or an event `reset` when that is no longer kept: then it reads the lists again. Comments come as heartbeats; a reader that is too slow is closed. Needs the scope `read`.',
    tags: ['stream'],
    parameters: [],
    responses: {
      200: {
        description: 'An endless stream',
        content: {'text/event-stream': {schema: {type: 'string', examples: [EXAMPLE]}}},
      },
      default: failureAnswer,
    },
  },
};
