import {stat} from 'node:fs/promises';
import {extname, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';
import {nearest} from '../config/index.js';
import {codeOf, messageOf, PaynetError} from '../errors.js';
import {HOOK_NAMES, type Hooks} from './hooks.js';

const EXAMPLE = 'It ends with: export default {login: (request) => true}';

/**
 * The hooks that a module of the project exports as its default. TypeScript is run by Node itself where it can, else by
 * jiti; its types are not checked.
 * @throws PaynetError HOOKS_INVALID, naming the file and what is wrong
 */
export async function loadHooks(path: string): Promise<Hooks> {
  const file = resolve(path);
  const load = loaderOf(file);
  if (load === undefined) throw invalid(file, 'its name must end in .js, .mjs or .ts');
  await requireFile(file);
  const module = await load(file).catch((error: unknown) => {
    throw invalid(file, `it cannot be loaded: ${messageOf(error)}`, {cause: error});
  });
  if (typeof module !== 'object' || module === null || !('default' in module)) {
    throw invalid(file, 'it has no default export', {hint: EXAMPLE});
  }
  return checked(file, module.default);
}

type Loader = (file: string) => Promise<unknown>;

function loaderOf(file: string): Loader | undefined {
  const end = extname(file);
  if (end === '.js' || end === '.mjs') return importFile;
  if (end !== '.ts') return undefined;
  return (process.features as {typescript?: unknown}).typescript ? importFile : importWithJiti;
}

const importFile: Loader = (file) => import(pathToFileURL(file).href);

const importWithJiti: Loader = async (file) => {
  // A few megabytes that only this case needs.
  const {createJiti} = await import('jiti');
  // Nothing is kept on the disk: what others could write there would be run.
  return createJiti(import.meta.url, {fsCache: false, moduleCache: false, interopDefault: false}).import(file);
};

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch((error: unknown) => {
    throw invalid(file, codeOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error), {cause: error});
  });
  if (!found.isFile()) throw invalid(file, 'it is not a file');
}

function checked(file: string, hooks: unknown): Hooks {
  if (typeof hooks !== 'object' || hooks === null || Array.isArray(hooks)) {
    throw invalid(file, 'its default export is no object of hooks', {hint: EXAMPLE});
  }
  const names: readonly string[] = HOOK_NAMES;
  for (const name of Object.keys(hooks)) {
    if (names.includes(name)) continue;
    const meant = nearest(name, names);
    const hint = meant === undefined ? `There are ${names.join(', ')}.` : `Did you mean "${meant}"?`;
    throw invalid(file, `there is no hook "${name}"`, {hint});
  }
  for (const name of HOOK_NAMES) {
    const hook: unknown = (hooks as Hooks)[name];
    if (hook !== undefined && typeof hook !== 'function') throw invalid(file, `its hook "${name}" is no function`);
  }
  return hooks;
}

function invalid(file: string, what: string, options: {cause?: unknown; hint?: string} = {}): PaynetError {
  return new PaynetError('HOOKS_INVALID', `the hooks ${file} cannot be used: ${what}`, options);
}
