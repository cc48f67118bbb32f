// The product's server, as a program would run it, with one business message added.
import {CoinAck, MessageRegistry, PaynetServer} from '../../dist/index.js';
import {answerCommands} from './answer.mjs';
import {BUSINESS_DOWN, BUSINESS_UP} from './frames.mjs';
import {cpu, memory} from './process-figures.mjs';

const registry = new MessageRegistry();
registry.mustRegister({
  type: BUSINESS_UP,
  direction: 'up',
  name: 'BenchReport',
  codec: CoinAck,
  handler: (context, message) => context.send('BenchAnswer', message),
});
registry.mustRegister({type: BUSINESS_DOWN, direction: 'down', name: 'BenchAnswer', codec: CoinAck});

const server = new PaynetServer(JSON.parse(process.argv[2]), {registry});
await server.start();
const {counters} = server.metrics;
answerCommands({
  address: () => ({port: server.address.port, observe: server.observeAddress?.port}),
  cpu,
  memory,
  connections: () => counters.connections,
  online: () => counters.sessionsOnline,
});
