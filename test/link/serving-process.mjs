// A process that only serves, as built: it reads its configuration, tells its port, and stops when it is told to.
import {PaynetServer} from '../../dist/index.js';

let config = '';
for await (const chunk of process.stdin) {
  config += chunk;
  if (config.includes('\n')) break;
}
let strings = 'allowed';
try {
  new Function('return 1')();
} catch {
  strings = 'refused';
}
const server = new PaynetServer(JSON.parse(config));
await server.start();
process.on('message', async () => {
  await server.stop();
  process.disconnect();
});
process.send({port: server.address.port, strings});
