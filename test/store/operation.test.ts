import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';
import {describe, expect, it} from 'vitest';
import {defineOperation, openStore} from '../../src/lib/store/index.js';
import {loadOperations} from '../../src/lib/store/operation.js';
import * as op from './operations.js';
import {keepingLog, OPERATIONS, tempFolder} from './support.js';

/** A module with an operation of this name, as a project would have it. */
function moduleWith(folder: string, file: string, name: string): string {
  mkdirSync(folder, {recursive: true});
  const path = join(folder, file);
  const brand = "[Symbol.for('paynetctl.operation')]: true";
  writeFileSync(path, `export const one = {name: '${name}', run: async () => 1, ${brand}};\nexport const other = 5;\n`);
  return pathToFileURL(path).href;
}

describe('operations', () => {
  it('are what their modules export, and nothing else', async () => {
    const folder = tempFolder();
    const modules = [moduleWith(folder, 'a.mjs', 'a.one'), moduleWith(folder, 'b.mjs', 'b.one')];
    expect([...(await loadOperations(modules)).keys()]).toEqual(['a.one', 'b.one']);
  });

  it('are refused when two have one name, before anything is opened', async () => {
    const folder = tempFolder();
    const modules = [moduleWith(folder, 'a.mjs', 'a.one'), moduleWith(folder, 'b.mjs', 'a.one')];
    const refused = {code: 'STORE_OPERATIONS', message: 'two operations are named "a.one"'};
    await expect(loadOperations(modules)).rejects.toMatchObject(refused);
    const path = join(folder, 'paynet.db');
    const operations = modules.map((href) => new URL(href));
    await expect(openStore({engine: 'sqlite', path}, {operations, log: keepingLog()})).rejects.toMatchObject(refused);
  });

  it('may be exported by a second module again', async () => {
    const folder = tempFolder();
    const first = moduleWith(folder, 'a.mjs', 'a.one');
    const again = join(folder, 'again.mjs');
    writeFileSync(again, "export {one as same} from './a.mjs';\n");
    expect([...(await loadOperations([first, pathToFileURL(again).href])).keys()]).toEqual(['a.one']);
  });

  it('are refused when a module has none', async () => {
    const path = join(tempFolder(), 'none.mjs');
    writeFileSync(path, 'export const x = 1;\n');
    await expect(loadOperations([pathToFileURL(path).href])).rejects.toMatchObject({code: 'STORE_OPERATIONS'});
  });

  it('are found by the name that the file has when it is built', async () => {
    const built = new URL(OPERATIONS.href.replace(/\.ts$/, '.js'));
    const path = join(tempFolder(), 'paynet.db');
    const store = await openStore({engine: 'sqlite', path}, {operations: [built], log: keepingLog()});
    expect(await store.run(op.create, {orderNo: 'A'})).toBe('A');
    await store.close();
  });

  it('know what they take and give', async () => {
    const path = join(tempFolder(), 'paynet.db');
    const store = await openStore({engine: 'sqlite', path}, {operations: [OPERATIONS], log: keepingLog()});
    const orderNo: string = await store.run(op.create, {orderNo: 'A'});
    // @ts-expect-error an argument is missing
    await store.run(op.create, {}).catch(() => {});
    // @ts-expect-error another type
    const rows: string = await store.run(op.createOnce, orderNo);
    expect(rows).toBe(0);
    // @ts-expect-error the query takes parameters
    await store.read(op.orderByNo).catch(() => {});
    await store.close();
    expect(defineOperation('x', async () => {}).name).toBe('x');
  });
});
