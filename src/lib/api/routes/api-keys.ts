import {type Endpoint, endpoint} from '../endpoint.js';
import {type ApiKeys, SCOPES, type Scope} from '../keys.js';
import {about, id, list, object, orNull, shape, text, time} from '../schema.js';

const fields = {
  id: about(text, 'by which the key is recognised; no secret'),
  name: text,
  scope: text,
  created_at: time,
  expires_at: orNull(time),
  last_used_at: about(orNull(time), 'may be a minute old'),
  revoked_at: orNull(time),
};

const example = {
  id: '5f3e9a10c2d4',
  name: 'till 7',
  scope: 'write',
  created_at: '2025-11-11T12:10:00.000Z',
  expires_at: null,
  last_used_at: null,
  revoked_at: null,
};

const TEN_YEARS_S = 315_360_000;

export function apiKeyEndpoints(keys: ApiKeys, now: () => number): Endpoint[] {
  return [
    endpoint({
      method: 'GET',
      path: '/api/v1/api-keys',
      scope: 'admin',
      tag: 'API keys',
      summary: 'List the API keys',
      description: 'Without their secrets.',
      status: 200,
      data: shape({api_keys: list(shape(fields))}),
      example: {data: {api_keys: [example]}},
      run: async () => ({apiKeys: await keys.list()}),
    }),

    endpoint<unknown, unknown, {name: string; scope: Scope; expires_in_seconds?: number}>({
      method: 'POST',
      path: '/api/v1/api-keys',
      scope: 'admin',
      tag: 'API keys',
      summary: 'Make an API key',
      description: 'Both secrets are shown this once; therefore no Idempotency-Key is taken.',
      isSecret: true,
      body: object(
        {
          name: about(id(64), 'for people'),
          scope: about({type: 'string', enum: [...SCOPES]}, 'each includes those before it'),
          expires_in_seconds: about({type: 'integer', minimum: 1, maximum: TEN_YEARS_S}, 'never when not given'),
        },
        ['expires_in_seconds'],
      ),
      status: 200,
      data: shape({
        ...fields,
        key: about(text, 'for X-Api-Key'),
        hmac_secret: about(text, 'signs requests'),
      }),
      example: {
        body: {name: 'till 7', scope: 'write'},
        data: {...example, key: 'pnk_5f3e9a10c2d4_…', hmac_secret: '…'},
      },
      run({body: {name, scope, expires_in_seconds: seconds}}) {
        return keys.create({name, scope, expiresAt: seconds === undefined ? undefined : now() + seconds * 1000});
      },
    }),

    endpoint<{id: string}>({
      method: 'POST',
      path: '/api/v1/api-keys/:id/revoke',
      scope: 'admin',
      tag: 'API keys',
      summary: 'Revoke an API key',
      description: 'In force at once, on other nodes within seconds.',
      params: object({id: {type: 'string', pattern: '^[0-9a-f]{12}$'}}),
      status: 200,
      data: shape({id: text}),
      example: {data: {id: '5f3e9a10c2d4'}},
      async run({params: {id: key}}) {
        await keys.revoke(key);
        return {id: key};
      },
    }),
  ];
}
