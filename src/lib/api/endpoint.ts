import type {FastifyInstance, FastifyReply, FastifyRequest} from 'fastify';
import {success} from './envelope.js';
import {EMPTY} from './hooks.js';
import {type Idempotency, newOrderNo} from './idempotency.js';
import type {Scope} from './keys.js';
import {failureSchema, object, type Schema, successOf} from './schema.js';
import {toWire} from './wire.js';

export interface Call<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** For a new order whose sender gave no number. */
  orderNo: string;
}

/** One operation of the interface: what is checked, what is documented and what is done. */
export interface Endpoint<Params = unknown, Query = unknown, Body = unknown> {
  method: 'GET' | 'POST';
  path: string;
  /** Other paths that do the same. */
  aliases?: readonly string[];
  scope: Scope;
  tag: string;
  summary: string;
  description?: string;
  params?: Schema;
  query?: Schema;
  body?: Schema;
  /** 202: accepted, and done later. */
  status: 200 | 202;
  /** What the answer's `data` is. */
  data: Schema;
  example: {body?: unknown; data: unknown};
  run(call: Call<Params, Query, Body>): Promise<unknown>;
}

/** An endpoint whose types belong together: the schemas have checked what the types say. */
export function endpoint<Params = unknown, Query = unknown, Body = unknown>(
  described: Endpoint<Params, Query, Body>,
): Endpoint {
  return described as Endpoint;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for this; a route without one is for everybody. */
    scope?: Scope;
    /** Fields of the query that are whole numbers. */
    integers?: readonly string[];
  }
}

const IDEMPOTENCY_HEADER = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: '^[\\x21-\\x7e]{1,128}$',
      description: 'The same request under the same key is answered with the first answer for 24 hours',
    },
  },
};

export interface MountOptions {
  idempotently: Idempotency;
  now: () => number;
}

export function mount(app: FastifyInstance, endpoints: readonly Endpoint[], options: MountOptions): void {
  for (const each of endpoints) {
    for (const path of [each.path, ...(each.aliases ?? [])]) {
      app.route({
        method: each.method,
        url: path,
        config: {scope: each.scope, integers: integersOf(each.query)},
        schema: schemaOf(each, path),
        handler: (request, reply) => answer(each, request, reply, options),
      });
    }
  }
}

async function answer(
  each: Endpoint,
  request: FastifyRequest,
  reply: FastifyReply,
  {idempotently, now}: MountOptions,
): Promise<FastifyReply> {
  const {params, query, body} = request;
  const work = async (orderNo: string): Promise<unknown> => toWire(await each.run({params, query, body, orderNo}));
  const key = each.method === 'POST' ? request.headers['idempotency-key'] : undefined;
  if (typeof key !== 'string') {
    const data = await work(newOrderNo(now()));
    return reply.code(each.status).send(success(data, request.id, now()));
  }
  const {url = '', method = ''} = request.raw;
  const keyId = request.caller?.id ?? '';
  const made = await idempotently({key, keyId, method, url, body: request.rawBody ?? EMPTY, status: each.status}, work);
  if (made.replayed) reply.header('idempotency-replayed', 'true');
  return reply.code(made.status).send(success(made.data, request.id, now()));
}

function schemaOf(each: Endpoint, path: string): object {
  const isAlias = path !== each.path;
  return {
    summary: isAlias ? `${each.summary} (alias)` : each.summary,
    description: isAlias
      ? `The same as ${each.path}.`
      : `${each.description ?? ''} Needs the scope \`${each.scope}\`.`.trim(),
    operationId: `${each.method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+/g, '_')}`,
    tags: [isAlias ? 'aliases' : each.tag],
    ...(each.params && {params: each.params}),
    ...(each.query && {querystring: each.query}),
    ...(each.method === 'POST' && {
      headers: IDEMPOTENCY_HEADER,
      body: {...(each.body ?? object({})), examples: [each.example.body ?? {}]},
    }),
    response: {
      [each.status]: {
        description: each.status === 202 ? 'Accepted' : 'Done',
        ...successOf({...each.data, examples: [each.example.data]}),
      },
      default: failureSchema,
    },
  };
}

function integersOf(query: Schema | undefined): string[] {
  const fields = (query?.properties ?? {}) as Record<string, Schema>;
  return Object.keys(fields).filter((name) => fields[name]?.type === 'integer');
}
