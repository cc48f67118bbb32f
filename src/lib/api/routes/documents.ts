import {DOCS_POLICY, docsPage} from '../docs-page.js';
import {JSON_TYPE, type Route, respond} from '../exchange.js';
import type {OpenApiDocument} from '../openapi.js';

/** GET /api/openapi.json and /api/docs, for everybody. */
export function documentRoutes(document: OpenApiDocument): Route[] {
  const text = JSON.stringify(document);
  const page = docsPage(document);
  return [
    {
      method: 'GET',
      path: '/api/openapi.json',
      handle: (exchange) => respond(exchange, 200, JSON_TYPE, text),
    },
    {
      method: 'GET',
      path: '/api/docs',
      handle: (exchange) =>
        respond(exchange, 200, 'text/html; charset=utf-8', page, {
          'content-security-policy': DOCS_POLICY,
          'referrer-policy': 'no-referrer',
        }),
    },
  ];
}
