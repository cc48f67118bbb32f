// A server that sends events until it is killed, or its standard input ends.
import {createInterface} from 'node:readline';
import {startEventSender} from '../../src/lib/events/index.js';
import {openStore} from '../../src/lib/store/index.js';
import {OPERATIONS, quiet, SECRET} from './parts.js';

const [path = '', url = ''] = process.argv.slice(2);
const store = await openStore({engine: 'sqlite', path}, {operations: OPERATIONS, log: quiet});
startEventSender({store, endpoint: {url, secrets: [SECRET]}, allowPrivate: true, allowHttp: true, log: quiet});
process.stdout.write('ready\n');
createInterface({input: process.stdin}).once('close', () => process.exit(0));
