// Writes API keys beside whoever holds the database, one after the other, and prints each when it is stored. With
// a number it ends after so many, and looks whether the database is whole.
import {once} from 'node:events';
import Database from 'better-sqlite3';
import {apiOperations, createApiKeys} from '../../src/lib/api/index.js';
import {openStore} from '../../src/lib/store/index.js';

const [path = '', count = 'Infinity'] = process.argv.slice(2);
const log = {info: () => {}, warn: () => {}, error: () => {}};
const store = await openStore({engine: 'sqlite', path}, {operations: [apiOperations], log, alongside: true});
const keys = createApiKeys({store, masterKey: Buffer.alloc(32, 7)});
for (let made = 0; made < Number(count); made += 1) {
  const {key} = await keys.create({name: `key ${made}`, scope: 'read'});
  if (!process.stdout.write(`${key}\n`)) await once(process.stdout, 'drain');
}
const db = new Database(path, {readonly: true});
process.stdout.write(`${db.pragma('integrity_check', {simple: true})}\n`);
db.close();
await store.close();
