// The reference for reads: bare Fastify with a schema for the path, and an answer from memory.
import Fastify from 'fastify';
import {answerCommands} from './answer.mjs';
import {cpu} from './process-figures.mjs';

const {answers} = JSON.parse(process.argv[2]);
const app = Fastify({logger: false});
const known = new Map(answers);
for (const [path, name] of [
  ['/api/v1/coin-orders/:id', 'coin-orders'],
  ['/api/v1/devices/:id', 'devices'],
]) {
  app.get(path, {
    schema: {params: {type: 'object', properties: {id: {type: 'string', pattern: '^[A-Za-z0-9._-]{1,128}$'}}}},
    handler: (request, reply) => reply.send(known.get(`/api/v1/${name}/${request.params.id}`)),
  });
}
await app.listen({host: '127.0.0.1', port: 0});
answerCommands({address: () => ({http: app.server.address().port, credentials: {key: 'none'}}), cpu});
