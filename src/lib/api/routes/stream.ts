import type {FastifyInstance} from 'fastify';
import type {ApiKeys} from '../keys.js';
import {failureSchema} from '../schema.js';
import type {LiveStream} from '../stream.js';

const EXAMPLE = 'id: 5f3e9a10-17\nevent: order\ndata: {"order_no":"THD1762863000001","status":"running"}\n\n';

/** GET /api/v1/stream: what changes, as it changes. */
export function addStream(app: FastifyInstance, stream: LiveStream, keys: ApiKeys): void {
  app.route({
    method: 'GET',
    url: '/api/v1/stream',
    config: {scope: 'read'},
    schema: {
      summary: 'Follow changes of devices, orders and events',
      description:
        'Server-sent events named `device`, `order` and `event`. A reader that comes back sends `Last-Event-ID` and gets what it missed, or an event `reset` when that is no longer kept: then it reads the lists again. Comments come as heartbeats; a reader that is too slow is closed. Needs the scope `read`.',
      operationId: 'get_api_v1_stream',
      tags: ['stream'],
      querystring: {type: 'object', additionalProperties: false, properties: {}},
      response: {
        200: {
          description: 'An endless stream',
          content: {'text/event-stream': {schema: {type: 'string', examples: [EXAMPLE]}}},
        },
        default: failureSchema,
      },
    },
    async handler(request, reply) {
      const {caller, id} = request;
      const seen = request.headers['last-event-id'];
      reply.raw.setHeader('x-request-id', id);
      stream.open(reply.raw, typeof seen === 'string' ? seen : undefined, () => keys.isInForce(caller?.id ?? ''));
      reply.hijack();
    },
  });
}
