// Writes orders until it is killed, many at a time, and prints the number of each when it is stored.
import {randomBytes} from 'node:crypto';
import {once} from 'node:events';
import {openStore} from '../../src/lib/store/index.js';
import {create} from './operations.js';

const [path = ''] = process.argv.slice(2);
const log = {info: () => {}, warn: () => {}, error: () => {}};
const store = await openStore(
  {engine: 'sqlite', path},
  {operations: [new URL('./operations.ts', import.meta.url)], log},
);

process.stdout.setMaxListeners(0);

async function write(): Promise<never> {
  for (;;) {
    const orderNo = randomBytes(15).toString('base64url');
    await store.run(create, {orderNo});
    if (!process.stdout.write(`${orderNo}\n`)) await once(process.stdout, 'drain');
  }
}

await Promise.all(Array.from({length: 20}, write));
