// The reference: a TLS echo with the product's TLS options and nothing else.
import {createServer} from 'node:tls';
import {loadServerCredentials} from '../../dist/lib/tls/index.js';
import {answerCommands} from './answer.mjs';
import {cpu, memory} from './process-figures.mjs';

const {tls} = JSON.parse(process.argv[2]);
const {options} = await loadServerCredentials(tls);
let connections = 0;

function echo(chunk) {
  this.write(chunk);
}
function onError() {}
function onClose() {
  connections--;
}

// The socket options are those that the product's listener sets.
const server = createServer({...options, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000}, (socket) => {
  connections++;
  socket.on('data', echo);
  socket.on('error', onError);
  socket.on('close', onClose);
});
server.on('tlsClientError', (_, socket) => socket.destroy());
server.listen({host: '127.0.0.1', port: 0, backlog: 1024}, () =>
  answerCommands({address: () => ({port: server.address().port}), cpu, memory, connections: () => connections}),
);
