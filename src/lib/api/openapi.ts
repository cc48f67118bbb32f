import type {Endpoint} from './endpoint.js';
import {failureSchema, object, type Schema, successOf} from './schema.js';

export interface Media {
  schema: Schema;
  example?: unknown;
}

export interface Answer {
  description: string;
  content: Readonly<Record<string, Media>>;
}

export interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
}

export interface Operation {
  operationId: string;
  summary: string;
  description: string;
  tags: readonly string[];
  parameters: readonly Parameter[];
  requestBody?: {required: boolean; content: Readonly<Record<string, Media>>};
  responses: Readonly<Record<string, Answer>>;
}

/** An operation and where it stands. */
export interface Documented {
  method: 'GET' | 'POST';
  /** ":name" is any one segment. */
  path: string;
  operation: Operation;
}

export interface OpenApiDocument {
  openapi: string;
  info: {title: string; version: string; description: string};
  components: object;
  security: readonly object[];
  paths: Record<string, Record<string, Operation>>;
}

const DESCRIPTION = `Every request below /api/v1 carries an API key, as \`X-Api-Key\` or \`Authorization: Bearer\`, and is signed:

\`X-Timestamp\` is the time in Unix seconds (at most 300 s off), \`X-Nonce\` 8 to 128 letters, digits, "-" or "_" that are new for each request (take 128 random bits), \`X-Signature\` the lower-case hexadecimal HMAC-SHA256, under the secret that belongs to the key, of five lines without an end of line after the last: method, path with query as sent, timestamp, nonce, lower-case hexadecimal SHA-256 of the body. A nonce is refused for 10 minutes after its use: that of a POST by every node and after a restart, that of a GET, which changes nothing, by the node that answered it.

Every answer is an envelope: \`code\` (0 for success), \`message\`, \`data\`, \`request_id\`, \`timestamp\` (Unix seconds); errors have \`error\` and \`error_code\` too. With status 429 and 503, \`Retry-After\` says how many seconds to wait.`;

/** The header of requests that may be repeated. */
export const IDEMPOTENCY_HEADER: Schema = {
  type: 'object',
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: '^[\\x21-\\x7e]{1,128}$',
      description: 'The same request under the same key is answered with the first answer for 24 hours',
    },
  },
};

export const jsonOf = (schema: Schema, example?: unknown): Readonly<Record<string, Media>> => ({
  'application/json': {schema, ...(example !== undefined && {example})},
});

export const failureAnswer: Answer = {description: 'An error', content: jsonOf(failureSchema)};

/** The document of the interface. */
export function openApiDocument(operations: readonly Documented[], version: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {};
  for (const {method, path, operation} of operations) {
    const written = path.replace(/:([a-z_]+)/g, '{$1}');
    paths[written] = {...paths[written], [method.toLowerCase()]: operation};
  }
  return {
    openapi: '3.1.0',
    info: {title: 'paynetctl', version, description: DESCRIPTION},
    components: {
      securitySchemes: {
        apiKey: {type: 'apiKey', in: 'header', name: 'X-Api-Key'},
        bearer: {type: 'http', scheme: 'bearer'},
      },
    },
    security: [{apiKey: []}, {bearer: []}],
    paths,
  };
}

export const operationId = (method: string, path: string): string =>
  `${method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+/g, '_')}`;

/** How an endpoint is documented at one of its paths. */
export function operationOf(each: Endpoint, path: string): Operation {
  const isAlias = path !== each.path;
  const isPost = each.method === 'POST';
  return {
    operationId: operationId(each.method, path),
    summary: isAlias ? `${each.summary} (alias)` : each.summary,
    description: isAlias
      ? `The same as ${each.path}.`
      : `${each.description ?? ''} Needs the scope \`${each.scope}\`.`.trim(),
    tags: [isAlias ? 'aliases' : each.tag],
    parameters: [
      ...parametersOf(each.params, 'path'),
      ...parametersOf(each.query, 'query'),
      ...(isPost && !each.isSecret ? parametersOf(IDEMPOTENCY_HEADER, 'header') : []),
    ],
    ...(isPost && {
      requestBody: {required: true, content: jsonOf(each.body ?? object({}), each.example.body ?? {})},
    }),
    responses: {
      [each.status]: {
        description: each.status === 202 ? 'Accepted' : 'Done',
        content: jsonOf(successOf({...each.data, examples: [each.example.data]})),
      },
      default: failureAnswer,
    },
  };
}

function parametersOf(schema: Schema | undefined, place: Parameter['in']): Parameter[] {
  const {properties = {}, required = []} = (schema ?? {}) as {
    properties?: Record<string, Schema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, {description, ...field}]) => ({
    name,
    in: place,
    required: required.includes(name),
    ...(typeof description === 'string' && {description}),
    schema: field,
  }));
}
