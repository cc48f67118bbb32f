// aedes as a broker over TLS, in a process of its own.
import {createServer} from 'node:tls';
import {loadServerCredentials} from '../../dist/lib/tls/index.js';
import {answerCommands} from './answer.mjs';
import {loadPackage} from './packages.mjs';
import {cpu} from './process-figures.mjs';

const {tls} = JSON.parse(process.argv[2]);
const {Aedes} = loadPackage('aedes');
const broker = await Aedes.createBroker();
const {options} = await loadServerCredentials(tls);
const server = createServer({...options, noDelay: true}, broker.handle);
server.on('tlsClientError', (_, socket) => socket.destroy());
server.listen({host: '127.0.0.1', port: 0, backlog: 1024}, () =>
  answerCommands({address: () => ({port: server.address().port}), cpu}),
);
