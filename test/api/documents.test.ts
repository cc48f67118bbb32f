import {createHash} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import {API_ERRORS} from '../../src/lib/api/index.js';
import {send, sharedTestApi} from './support.js';

const shared = sharedTestApi();

interface SchemaNode {
  type?: string | string[];
  properties?: Record<string, SchemaNode>;
  items?: SchemaNode;
  required?: string[];
  additionalProperties?: boolean;
  examples?: unknown[];
}

interface Operation {
  operationId: string;
  summary: string;
  parameters?: {name: string; in: string; required?: boolean; schema: SchemaNode}[];
  requestBody?: {content: Record<string, {schema: SchemaNode; example?: unknown}>};
  responses: Record<string, {description: string; content?: Record<string, {schema: SchemaNode}>}>;
  security?: unknown;
}

interface Document {
  openapi: string;
  info: {title: string; version: string};
  paths: Record<string, Record<string, Operation>>;
  components: {securitySchemes: Record<string, object>};
  security: Record<string, string[]>[];
}

async function document(): Promise<Document> {
  const answer = await send(shared().port, 'GET', '/api/openapi.json');
  expect(answer.status).toBe(200);
  return answer.json as unknown as Document;
}

/** Where a value is not what a schema says. */
function differences(schema: SchemaNode, value: unknown, at = '$'): string[] {
  const types = schema.type === undefined ? [] : [schema.type].flat();
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  const fits = types.some(
    (each) => each === type || (type === 'number' && each === 'integer' && Number.isInteger(value)),
  );
  if (types.length > 0 && !fits) return [`${at} is ${type}, not ${types.join('|')}`];
  if (Array.isArray(value)) {
    return value.flatMap((each, index) => (schema.items ? differences(schema.items, each, `${at}[${index}]`) : []));
  }
  if (type !== 'object' || schema.properties === undefined) return [];
  const fields = value as Record<string, unknown>;
  const missing = (schema.required ?? []).filter((name) => !(name in fields)).map((name) => `${at}.${name} is missing`);
  const known = schema.properties;
  return [
    ...missing,
    ...Object.entries(fields).flatMap(([name, inner]) =>
      known[name] === undefined
        ? [`${at}.${name} is not documented`]
        : differences(known[name], inner, `${at}.${name}`),
    ),
  ];
}

describe('the OpenAPI document', () => {
  it('has the form of one', async () => {
    const {openapi, info, paths, components, security} = await document();
    expect(openapi).toBe('3.1.0');
    expect(info).toMatchObject({title: 'paynetctl', version: '1.2.3'});
    expect(security.flatMap((each) => Object.keys(each)).every((name) => name in components.securitySchemes)).toBe(
      true,
    );
    const ids = new Set<string>();
    for (const [path, operations] of Object.entries(paths)) {
      expect(path).toMatch(/^\/api\/v1\//);
      for (const {operationId, summary, responses, parameters = [], requestBody} of Object.values(operations)) {
        expect(ids.has(operationId)).toBe(false);
        ids.add(operationId);
        expect(summary).not.toBe('');
        const inPath = parameters.filter((each) => each.in === 'path');
        expect(inPath.map(({name}) => `{${name}}`)).toEqual(path.match(/\{[^}]+\}/g) ?? []);
        expect(inPath.every(({required}) => required === true)).toBe(true);
        expect(Object.keys(responses).some((status) => /^20[02]$/.test(status))).toBe(true);
        expect(responses.default?.content?.['application/json']?.schema.required).toContain('error_code');
        for (const {schema} of Object.values(requestBody?.content ?? {}))
          expect(schema.additionalProperties).toBe(false);
      }
    }
    expect(Object.keys(paths)).toContain('/api/v1/coin-orders/{order_no}/cancel');
    expect(Object.keys(paths)).toContain('/api/v1/third/orders/{order_no}');
  });

  it('is what the interface does: its examples are taken, and its answers are as described', async () => {
    const {paths} = await document();
    const {call, keyOf} = shared();
    const spare = await keyOf('read');
    let tried = 0;
    for (const [path, operations] of Object.entries(paths)) {
      if (path.endsWith('/stream')) continue;
      for (const [method, {requestBody, responses, parameters = []}] of Object.entries(operations)) {
        const content = requestBody?.content['application/json'];
        const example = content?.example;
        if (method === 'post') expect([path, example]).not.toEqual([path, undefined]);
        const needed = parameters.filter((each) => each.in === 'query' && each.required).map(({name}) => name);
        expect(needed.length === 0 || String(needed) === 'order_no').toBe(true);
        const real = path
          .concat(needed.length > 0 ? '?order_no=THD1762863000001' : '')
          .replace('{order_no}', 'THD1762863000001')
          .replace('{device_id}', 'PB-0001')
          .replace('{id}', path.includes('/api-keys/') ? spare.id : '1');
        const answer = await call(method.toUpperCase(), real, {body: example});
        const described = responses[answer.status]?.content?.['application/json']?.schema;
        expect([real, answer.status, described !== undefined]).toEqual([
          real,
          answer.status < 300 && answer.status,
          true,
        ]);
        expect(differences(described ?? {}, answer.json)).toEqual([]);
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(50);
  });

  it('leaves what others wrote as it is', async () => {
    const {call} = shared();
    const events = (await call('GET', '/api/v1/events')).json.data.events as {data: unknown}[];
    expect(events[0]?.data).toEqual({orderNo: 'as it is'});
    const found = (await call('GET', '/api/v1/discrepancies?resolved=false')).json.data.discrepancies as object[];
    expect(found[0]).toMatchObject({reported: {someName: 1, endedAt: 5}});
  });
});

describe('the page', () => {
  it('loads nothing, runs nothing and says so', async () => {
    const {status, headers, text} = await send(shared().port, 'GET', '/api/docs');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).not.toMatch(/<(?:script|link|img|iframe|object|embed|base|form|video|audio|source)\b/i);
    expect(text).not.toMatch(/\b(?:src|srcset|on[a-z]+|style)=/i);
    expect(text).not.toMatch(/@import|url\(/i);
    expect(Array.from(text.matchAll(/href="([^"]*)"/g), ([, target]) => target)).toEqual(['openapi.json']);
    const style = /<style>([\s\S]*)<\/style>/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers['content-security-policy']).toContain(`default-src 'none'; style-src 'sha256-${hash}'`);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });

  it('shows every operation, its schemas and examples, and every error', async () => {
    const {text} = await send(shared().port, 'GET', '/api/docs');
    for (const [path, operations] of Object.entries((await document()).paths)) {
      expect(text).toContain(`<code>${path}</code>`);
      for (const {summary} of Object.values(operations)) expect(text).toContain(summary);
    }
    for (const name of Object.keys(API_ERRORS)) expect(text).toContain(`<code>${name}</code>`);
    expect(text).toContain('&#34;order_no&#34;: &#34;THD1762863000001&#34;');
    expect(text).not.toContain('undefined');
  });
});
