// A server that sends commands to devices that never acknowledge one, until it is killed or its standard input ends.
import {createInterface} from 'node:readline';
import {OUTBOUND_OPERATIONS, startDispatcher} from '../../src/lib/outbound/index.js';
import {DeadlineWheel} from '../../src/lib/session/index.js';
import {openStore} from '../../src/lib/store/index.js';

const [path = ''] = process.argv.slice(2);
const quiet = {info: () => {}, warn: () => {}, error: () => {}};
const store = await openStore({engine: 'sqlite', path}, {operations: [OUTBOUND_OPERATIONS], log: quiet});
startDispatcher({
  store,
  wheel: new DeadlineWheel().start(),
  owner: 'killed',
  log: quiet,
  ended: () => {},
  port: {
    isOnline: () => true,
    send: (command) => {
      process.stdout.write(`${command.id}\n`);
      return new Promise(() => {});
    },
  },
});
createInterface({input: process.stdin}).once('close', () => process.exit(0));
