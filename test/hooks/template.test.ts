import {execFile} from 'node:child_process';
import {readFileSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {expect, it} from 'vitest';
import {loadHooks} from '../../src/lib/hooks/index.js';
import {folderWith, ORDER} from './support.js';

const root = resolve(import.meta.dirname, '../..');
const TEMPLATE = readFileSync(join(root, 'templates/hooks.ts'), 'utf8');

/** What the compiler says of hooks in a project that has this package; empty when all is well. */
function compile(hooks: string): Promise<string> {
  const folder = folderWith({'hooks.ts': hooks, 'package.json': '{"type": "module"}'});
  const settings = {
    compilerOptions: {
      target: 'es2023',
      lib: ['es2024'],
      module: 'nodenext',
      strict: true,
      noEmit: true,
      skipLibCheck: true,
      allowImportingTsExtensions: true,
      verbatimModuleSyntax: true,
      typeRoots: [join(root, 'node_modules/@types')],
      types: ['node'],
      // Where the package of the project would be.
      paths: {paynetctl: [join(root, 'src/index.ts')]},
    },
    files: ['hooks.ts'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const args = [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder];
  return new Promise((done) => execFile(process.execPath, args, (error, stdout) => done(error === null ? '' : stdout)));
}

it('compiles in a project that has the package, and names every type right', {timeout: 120_000}, async () => {
  expect(await compile(TEMPLATE)).toBe('');
});

it.each([
  ['an unknown hook', (text: string) => text.replace('  login(', '  logon('), 'logon'],
  ['a wrong answer', (text: string) => text.replace("{refuse: 'a device must say its model'}", 'false'), "'false'"],
  ['a field that is not there', (text: string) => text.replace('{version, resumed}', '{version, resumd}'), 'resumd'],
])('is refused by the compiler with %s', {timeout: 120_000}, async (_, change, named) => {
  const changed = change(TEMPLATE);
  expect(changed).not.toBe(TEMPLATE);
  const said = await compile(changed);
  expect(said).toMatch(/hooks\.ts/);
  expect(said).toContain(named);
});

it('is a module of hooks that does what it says', async () => {
  const {register, login, order} = await loadHooks(join(root, 'templates/hooks.ts'));
  const device = {deviceSn: 'D1', model: 'PB-1', firmware: '1.0', certificate: null, address: '192.0.2.1'};
  const other = {subject: 'D2', serial: '0A'};
  expect([register?.(device), register?.({...device, certificate: {...other, subject: 'D1'}})]).toEqual([true, true]);
  expect(register?.({...device, certificate: other})).toEqual({refuse: 'the certificate is of another device'});
  const session = {deviceId: 'D1', version: '0.9', resumed: true, address: '192.0.2.1'};
  expect([login?.(session), login?.({...session, resumed: false})]).toEqual([
    true,
    {refuse: 'firmware 0.9 is too old'},
  ]);
  expect(await order?.(ORDER)).toBe(true);
  expect(await order?.({...ORDER, coins: 51})).toEqual({refuse: 'order A1 asks for more than 50 coins'});
  expect(await order?.({...ORDER, amountCent: 0})).toEqual({refuse: 'order A1 is not paid'});
});
