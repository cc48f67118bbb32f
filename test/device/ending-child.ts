// A process whose client tries in vain, is stopped, and leaves nothing that keeps the process alive.
import {PaynetClient} from '../../src/lib/device/index.js';
import {FLOW, next} from './trace.js';

const client = new PaynetClient({
  client: {addr: '127.0.0.1:1', tls: {ca: process.argv[2] ?? ''}, reconnect: {base: '1h', max: '1h'}},
});
const ended = client.run(undefined, FLOW);
await next(client, 'retry');
process.on('beforeExit', () => process.stdout.write('nothing left\n'));
await client.stop();
await ended;
