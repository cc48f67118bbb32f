import {execFile} from 'node:child_process';
import {mkdirSync, readdirSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {promisify} from 'node:util';
import {describe, expect, it} from 'vitest';
import {defineHooks, guardHooks, loadHooks} from '../../src/lib/hooks/index.js';
import {folderWith, keepingLog, ORDER} from './support.js';

const run = promisify(execFile);
const BUILT = pathToFileURL(resolve(import.meta.dirname, '../../dist/lib/hooks/index.js')).href;

const MODULES: Record<string, string> = {
  'hooks.mjs': `export default {order: ({coins}) => coins < 5 || {refuse: 'too many'}};`,
  'hooks.js': `import {most} from './most.mjs';
    export default {order: async ({coins}) => coins < most || {refuse: 'too many'}};`,
  'most.mjs': 'export const most = 5;',
  'package.json': '{"type": "module"}',
  // Types of a package that is not installed there, and a file of its own.
  'hooks.ts': `import type {Hooks} from 'paynetctl';
    import {most} from './rules.ts';
    interface Counted {coins: number | null}
    const few = ({coins}: Counted): boolean => (coins as number) < most;
    export default {order: (request) => few(request) || {refuse: 'too many'}} satisfies Hooks;`,
  'rules.ts': 'export const most: number = 5;',
};

/** What the built program makes of a file, in a process of its own. */
async function inProcess(file: string, ...flags: string[]): Promise<unknown> {
  const program = `
    import {defineHooks, guardHooks, loadHooks} from ${JSON.stringify(BUILT)};
    const ask = async (hooks, coins) => hooks.order({...${JSON.stringify(ORDER)}, coins});
    const said = await loadHooks(process.argv[1]).then(
      async (hooks) => [await ask(hooks, 3), await ask(hooks, 9)],
      ({code, message}) => ({code, message}),
    );
    console.log(JSON.stringify(said));`;
  const {stdout} = await run(process.execPath, [...flags, '--input-type=module', '-e', program, file]);
  return JSON.parse(stdout);
}

const faultOf = (path: string): Promise<Error> =>
  loadHooks(path).then(
    () => expect.fail('it was taken'),
    (error) => error,
  );

describe('a module of hooks', () => {
  it.each(['hooks.mjs', 'hooks.js', 'hooks.ts'])('is loaded: %s', async (name) => {
    const folder = folderWith(MODULES);
    const before = readdirSync(folder);
    const {order} = await loadHooks(join(folder, name));
    expect(await order?.(ORDER)).toBe(true);
    expect(await order?.({...ORDER, coins: 9})).toEqual({refuse: 'too many'});
    expect(await inProcess(join(folder, name))).toEqual([true, {refuse: 'too many'}]);
    expect(readdirSync(folder)).toEqual(before);
  });

  it.each(['hooks.mjs', 'hooks.js'])('is loaded where code may not be made out of strings: %s', async (name) => {
    const file = join(folderWith(MODULES), name);
    expect(await inProcess(file, '--disallow-code-generation-from-strings')).toEqual([true, {refuse: 'too many'}]);
  });

  it('may have few hooks, or an object with methods of its class', async () => {
    const folder = folderWith({
      'none.mjs': 'export default {};',
      'class.mjs': 'class Own { #most = 3; order({coins}) { return coins <= this.#most; } } export default new Own();',
      'undefined.mjs': 'export default {login: undefined};',
    });
    expect(await loadHooks(join(folder, 'none.mjs'))).toEqual({});
    expect(await loadHooks(join(folder, 'undefined.mjs'))).toEqual({login: undefined});
    const own = guardHooks(await loadHooks(join(folder, 'class.mjs')), {log: keepingLog()});
    expect(own.order?.(ORDER)).toBe(true);
  });

  it.each([
    ['no default export', 'named.mjs', 'export const order = () => true;', 'it has no default export'],
    [
      'no default export in TypeScript',
      'named.ts',
      'export const order = (): true => true;',
      'it has no default export',
    ],
    ['an empty file', 'empty.ts', '', 'it has no default export'],
    ['a function', 'function.mjs', 'export default () => true;', 'no object of hooks'],
    ['a list', 'list.mjs', 'export default [];', 'no object of hooks'],
    ['nothing', 'null.mjs', 'export default null;', 'no object of hooks'],
    ['an unknown hook', 'unknown.mjs', 'export default {logn: () => true};', 'there is no hook "logn"'],
    ['no function', 'text.mjs', 'export default {login: "yes"};', 'its hook "login" is no function'],
    ['another kind of file', 'hooks.json', '{}', 'must end in .js, .mjs or .ts'],
    ['code that throws', 'throws.mjs', 'throw new Error("no settings");', 'it cannot be loaded: no settings'],
    ['code that throws in TypeScript', 'throws.ts', 'throw new Error("no settings" as string);', 'no settings'],
    ['what is not there', 'gone.ts', 'import {x} from "./nowhere.ts"; export default {order: x};', 'cannot be loaded'],
    ['no JavaScript', 'wrong.mjs', 'export default {', 'it cannot be loaded'],
    ['no TypeScript', 'wrong.ts', 'export default {', 'it cannot be loaded'],
  ])('is refused with %s, naming the file and what is wrong', async (_, name, text, what) => {
    const file = join(folderWith({[name]: text}), name);
    const fault = await faultOf(file);
    expect(fault).toMatchObject({name: 'PaynetError', code: 'HOOKS_INVALID'});
    expect(fault.message).toContain(file);
    expect(fault.message).toContain(what);
    expect(await inProcess(file)).toMatchObject({code: 'HOOKS_INVALID', message: expect.stringContaining(what)});
  });

  it('is refused when it is not there, or no file', async () => {
    const folder = folderWith({});
    mkdirSync(join(folder, 'folder.ts'));
    expect(await faultOf(join(folder, 'gone.ts'))).toMatchObject({
      code: 'HOOKS_INVALID',
      message: `the hooks ${join(folder, 'gone.ts')} cannot be used: there is no such file`,
    });
    expect((await faultOf(join(folder, 'folder.ts'))).message).toContain('it is not a file');
  });

  it('may be typed by defineHooks, which changes nothing', () => {
    const hooks = {login: () => true as const};
    expect(defineHooks(hooks)).toBe(hooks);
  });

  it('says which hook was meant', async () => {
    const file = join(folderWith({'unknown.mjs': 'export default {regster: () => true, other: 1};'}), 'unknown.mjs');
    expect(await faultOf(file)).toMatchObject({hint: 'Did you mean "register"?'});
  });
});
