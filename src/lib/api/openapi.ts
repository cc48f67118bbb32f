import swagger from '@fastify/swagger';
import type {FastifyInstance} from 'fastify';

const DESCRIPTION = `Every request below /api/v1 carries an API key, as \`X-Api-Key\` or \`Authorization: Bearer\`, and is signed:

\`X-Timestamp\` is the time in Unix seconds (at most 300 s off), \`X-Nonce\` 8 to 128 letters, digits, "-" or "_" that are new for each request (take 128 random bits), \`X-Signature\` the lower-case hexadecimal HMAC-SHA256, under the secret that belongs to the key, of five lines without an end of line after the last: method, path with query as sent, timestamp, nonce, lower-case hexadecimal SHA-256 of the body.

Every answer is an envelope: \`code\` (0 for success), \`message\`, \`data\`, \`request_id\`, \`timestamp\` (Unix seconds); errors have \`error\` and \`error_code\` too. With status 429 and 503, \`Retry-After\` says how many seconds to wait.`;

/** Collects the document from the schemas of all routes that are added later. */
export async function addOpenApi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {title: 'paynetctl', version, description: DESCRIPTION},
      components: {
        securitySchemes: {
          apiKey: {type: 'apiKey', in: 'header', name: 'X-Api-Key'},
          bearer: {type: 'http', scheme: 'bearer'},
        },
      },
      security: [{apiKey: []}, {bearer: []}],
    },
  });
}
