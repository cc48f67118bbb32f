import {apiOperations, createApiKeys, startApi} from '../../src/lib/api/index.js';
import {createLog} from '../../src/lib/observe/index.js';
import {openStore} from '../../src/lib/store/index.js';
import {literalPorts} from './ports.js';

/** Serves the interface until it is killed; tells its port and a key, then a change a time for each line it reads. */
const [path = ''] = process.argv.slice(2);
const log = createLog({level: 'error', format: 'json'});
const store = await openStore({engine: 'sqlite', path}, {operations: [apiOperations], log});
const keys = createApiKeys({store, masterKey: Buffer.alloc(32, 7)});
const key = await keys.create({name: 'test', scope: 'admin'});
const ports = literalPorts();
const {address} = await startApi({addr: '127.0.0.1:0', version: '1.2.3', store, keys, ports, log});
process.stdout.write(`${JSON.stringify({port: address.port, key})}\n`);
process.stdin.on('data', () => ports.tell({kind: 'order', data: {orderNo: 'A-1'}}));
