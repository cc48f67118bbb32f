// The product's device link alone: no database behind it.
import {parseConfig} from '../../dist/lib/config/index.js';
import {defaultHooks, Gateway} from '../../dist/lib/link/index.js';
import {createLog, createMetrics} from '../../dist/lib/observe/index.js';
import {MessageRegistry} from '../../dist/lib/registry/index.js';
import {loadServerCredentials} from '../../dist/lib/tls/index.js';
import {answerCommands} from './answer.mjs';
import {cpu} from './process-figures.mjs';

const config = parseConfig(JSON.parse(process.argv[2]), 'server');
const metrics = createMetrics();
const gateway = new Gateway({
  config,
  credentials: await loadServerCredentials(config.server.tls),
  registry: new MessageRegistry(),
  hooks: {...defaultHooks({devices: undefined, allowUnverified: false}), order: () => undefined},
  events: () => undefined,
  counters: metrics.counters,
  log: createLog({level: 'info', format: 'json'}),
});
await gateway.listen();
answerCommands({address: () => ({port: gateway.address.port}), cpu});
