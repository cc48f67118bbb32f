import {dirname, resolve} from 'node:path';
import {check} from './check.js';
import {ConfigError} from './errors.js';
import {readConfigFile} from './file.js';
import type {Origins} from './origins.js';
import {fromEnvironment, fromFlags} from './overrides.js';
import type {ConfigFor, ConfigInput, Need} from './schema.js';
import {emptyTree, isTree, leaves, sections, setAt, type Tree, valueAt} from './tree.js';
import {readYaml, type Source} from './yaml-source.js';

export interface LoadOptions<N extends Need> {
  /** A YAML file; without it, environment and flags must say everything. */
  file?: string;
  /** The environment, for PAYNET_* and "${NAME}"; that of the process unless given. */
  env?: NodeJS.ProcessEnv;
  /** "server.max_frame=4096"; wins over the environment, which wins over the file, which wins over defaults. */
  set?: readonly string[];
  /** The section without which the caller cannot work. */
  need: N;
}

/**
 * Reads a configuration from all its sources, once.
 * @throws PaynetError CONFIG_UNREADABLE, or a ConfigError (CONFIG_INVALID) with everything that is wrong
 */
export async function loadConfig<N extends Need>(options: LoadOptions<N>): Promise<ConfigFor<N>> {
  const {file, env = process.env, set = [], need} = options;
  const {tree, origins, issues} = file === undefined ? nothing() : readYaml(file, await readConfigFile(file), env);
  const environment = fromEnvironment(env);
  const flags = fromFlags(set);
  const found = [...issues, ...environment.issues, ...flags.issues];
  // A file that is no YAML says nothing; what would be missing in it is no news.
  if (tree === undefined) throw new ConfigError(found);

  // A variable meant for a device on the same machine must not force a server to have a "client" section.
  const other = need === 'server' ? 'client' : 'server';
  const wanted = environment.overrides.filter(({leaf}) => leaf.path[0] !== other || tree[other] !== undefined);
  for (const {leaf, value, place} of [...wanted, ...flags.overrides]) {
    setAt(tree, leaf, value);
    origins.values.set(leaf.key, {place});
  }
  for (const leaf of leaves.values()) {
    if (leaf.beside === undefined || valueAt(tree, leaf.path) != null) continue;
    setAt(tree, leaf, file === undefined ? leaf.beside : resolve(dirname(file), leaf.beside));
  }
  return check(tree, origins, found, need);
}

/**
 * Completes and checks a configuration that a program gives as an object; durations are text or milliseconds.
 * @throws ConfigError (CONFIG_INVALID) with everything that is wrong
 */
export function parseConfig<N extends Need>(input: ConfigInput, need: N): ConfigFor<N> {
  return check(isTree(input) ? (copy(input, '') as Tree) : emptyTree(), noOrigins(), [], need);
}

/** Its own copy of the sections: neither is the caller's object changed, nor does a later change of it reach us. */
function copy(value: unknown, key: string): unknown {
  if (Array.isArray(value)) return [...value];
  if (!sections.has(key) || !isTree(value)) return value;
  const tree = emptyTree();
  for (const [name, inner] of Object.entries(value)) tree[name] = copy(inner, key === '' ? name : `${key}.${name}`);
  return tree;
}

function nothing(): Source & {tree: Tree} {
  return {tree: emptyTree(), origins: noOrigins(), issues: []};
}

function noOrigins(): Origins {
  return {values: new Map(), keys: new Map()};
}
