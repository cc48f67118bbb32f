// Writes an order, waits for a line on standard input, and says how the next ones go.
import {once} from 'node:events';
import {codeOf} from '../../src/lib/errors.js';
import {openStore} from '../../src/lib/store/index.js';
import {create, orderByNo} from './operations.js';

const [path = ''] = process.argv.slice(2);
const log = {info: () => {}, warn: () => {}, error: () => {}};
const store = await openStore(
  {engine: 'sqlite', path},
  {operations: [new URL('./operations.ts', import.meta.url)], log},
);
const say = (line: string) => process.stdout.write(`${line}\n`);
const outcome = (promise: Promise<unknown>) =>
  promise.then(
    () => 'stored',
    (error: unknown) => codeOf(error),
  );

say(`${await outcome(store.run(create, {orderNo: 'A'}))} A`);
await once(process.stdin, 'data');
say(`B: ${await outcome(store.run(create, {orderNo: 'B'}))}`);
say(`broken: ${(await store.broken).code}`);
say(`C: ${await outcome(store.run(create, {orderNo: 'C'}))}`);
say(`read: ${await outcome(store.readFirst(orderByNo, {orderNo: 'A'}))}`);
say(`ready: ${store.ready}`);
// As a server that has to end would.
process.exit(1);
