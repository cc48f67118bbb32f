// The product's server with a database and the HTTP interface, as a configuration file would have it.
import {PaynetServer} from '../../dist/index.js';
import {answerCommands} from './answer.mjs';
import {orderCommands, orderFinished} from './finished.mjs';
import {cpu, mainThread, memory} from './process-figures.mjs';
import {startProfile, stopProfile} from './profile.mjs';

const server = new PaynetServer(JSON.parse(process.argv[2]));
server.on('order', ({kind, order}) => {
  if (kind === 'finished') orderFinished(order.orderId);
});
await server.start();
const {key, hmacSecret} = await server.apiKeys.create({name: 'bench', scope: 'admin'});
const {counters} = server.metrics;
answerCommands({
  address: () => ({port: server.address.port, http: server.apiAddress.port, credentials: {key, secret: hmacSecret}}),
  cpu,
  mainThread,
  memory,
  connections: () => counters.connections,
  startProfile,
  stopProfile,
  ...orderCommands,
});
