import {chmod} from 'node:fs/promises';
import {homedir} from 'node:os';
import {dirname, join} from 'node:path';
import {PaynetError, UsageError} from '../lib/errors.js';
import {exists, makeFolder, readPrivateFile, writeFileAtomic} from '../lib/tls/index.js';

/** A server, and who speaks to it. */
export interface Context {
  name: string;
  server: string;
  key?: string | undefined;
  hmac_secret?: string | undefined;
  /** PEM. */
  ca?: string | undefined;
}

export interface Contexts {
  /** The name of the one in use. */
  current: string | null;
  contexts: Context[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const OPTIONAL = ['key', 'hmac_secret', 'ca'] as const;

/** $XDG_CONFIG_HOME/paynetctl/contexts.json, else below ~/.config. */
export function contextsFile(env: NodeJS.ProcessEnv = process.env): string {
  const {XDG_CONFIG_HOME: folder = ''} = env;
  return join(folder === '' ? join(homedir(), '.config') : folder, 'paynetctl', 'contexts.json');
}

/** @throws PaynetError KEY_PERMISSIONS when others can read it, FILE_UNREADABLE, CONTEXTS_INVALID */
export async function loadContexts(file = contextsFile()): Promise<Contexts> {
  if (!(await exists(file))) return {current: null, contexts: []};
  return parse(await readPrivateFile(file), file);
}

/** For nobody else to read. @throws PaynetError FILE_UNWRITABLE */
export async function saveContexts(contexts: Contexts, file = contextsFile()): Promise<void> {
  const folder = dirname(file);
  await makeFolder(folder, 'private');
  await chmod(folder, 0o700);
  await writeFileAtomic(file, `${JSON.stringify(contexts, undefined, 2)}\n`, {mode: 0o600, overwrite: true});
}

/** @throws UsageError */
export function contextNamed({contexts}: Contexts, name: string): Context {
  const found = contexts.find((context) => context.name === name);
  if (found !== undefined) return found;
  const names = contexts.map((context) => context.name).join(', ');
  throw new UsageError(`There is no context ${JSON.stringify(name)}.`, {
    hint: names === '' ? 'Add one: paynetctl context add NAME --server URL' : `Known contexts: ${names}`,
  });
}

/** @throws UsageError */
export function checkContextName(name: string): void {
  if (NAME.test(name)) return;
  throw new UsageError(`${JSON.stringify(name)} cannot be the name of a context.`, {
    hint: 'A name has 1 to 64 letters, digits, ".", "_", "-", a letter or digit first.',
  });
}

function parse(text: string, file: string): Contexts {
  const given = read(text);
  const {current = null, contexts} = given ?? {};
  const isFit = (current === null || typeof current === 'string') && Array.isArray(contexts);
  if (isFit && contexts.every(isContext)) return {current, contexts};
  throw new PaynetError('CONTEXTS_INVALID', `${file} does not hold contexts.`, {
    hint: 'Repair it, or remove it and add the contexts again.',
  });
}

function read(text: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // Told as what holds no contexts.
    return undefined;
  }
}

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const context = value as Record<string, unknown>;
  return (
    typeof context.name === 'string' &&
    NAME.test(context.name) &&
    typeof context.server === 'string' &&
    OPTIONAL.every((name) => context[name] === undefined || typeof context[name] === 'string')
  );
}
