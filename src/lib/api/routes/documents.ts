import type {FastifyInstance} from 'fastify';
import {DOCS_POLICY, docsPage, type ShownDocument} from '../docs-page.js';

/** GET /api/openapi.json and /api/docs, for everybody. */
export function addDocuments(app: FastifyInstance): void {
  let document = '';
  let page = '';
  app.addHook('onReady', async () => {
    const made = app.swagger();
    document = JSON.stringify(made);
    page = docsPage(made as ShownDocument);
  });
  app.get('/api/openapi.json', {schema: {hide: true}}, (_, reply) =>
    reply.type('application/json; charset=utf-8').send(document),
  );
  app.get('/api/docs', {schema: {hide: true}}, (_, reply) =>
    reply
      .headers({'content-security-policy': DOCS_POLICY, 'referrer-policy': 'no-referrer'})
      .type('text/html; charset=utf-8')
      .send(page),
  );
}
