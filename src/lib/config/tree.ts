import {z} from 'zod';
import {type LeafInfo, leafInfo} from './leaf.js';
import {schema} from './schema.js';

/** One setting: where it stands in the file and how the environment calls it. */
export interface Leaf extends LeafInfo {
  /** "server.max_frame" */
  key: string;
  path: readonly string[];
  /** "PAYNET_SERVER_MAX_FRAME" */
  env: string;
}

export interface Section {
  key: string;
  path: readonly string[];
  /** The names allowed in it. */
  names: readonly string[];
  /** It may be missing altogether, and then stays so. */
  optional: boolean;
}

export const leaves = new Map<string, Leaf>();
export const sections = new Map<string, Section>();
export const leavesByEnv = new Map<string, Leaf>();

collect(schema, [], false);

function collect(wrapped: z.core.$ZodType, path: readonly string[], optionalAbove: boolean): void {
  let optional = optionalAbove;
  let type = wrapped;
  while (type instanceof z.ZodOptional || type instanceof z.ZodDefault || type instanceof z.ZodPrefault) {
    optional ||= type instanceof z.ZodOptional;
    type = type.def.innerType;
  }
  const key = path.join('.');
  if (type instanceof z.ZodObject) {
    sections.set(key, {key, path, names: Object.keys(type.shape), optional});
    for (const [name, child] of Object.entries(type.shape)) collect(child, [...path, name], false);
    return;
  }
  const info = leafInfo.get(type);
  if (info === undefined) throw new Error(`the setting ${key} has no description`);
  const leaf: Leaf = {...info, key, path, env: envName(path)};
  leaves.set(key, leaf);
  leavesByEnv.set(leaf.env, leaf);
}

function envName(path: readonly string[]): string {
  return `PAYNET_${path.join('_').toUpperCase()}`;
}

/** Sections and values as they were given; made without a prototype, so that no key can reach one. */
export type Tree = {[name: string]: unknown};

export function emptyTree(): Tree {
  return Object.create(null) as Tree;
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function valueAt(tree: unknown, path: readonly PropertyKey[]): unknown {
  let value = tree;
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}

/**
 * Sets the value of a known setting, making the sections above it. What stands there and is no section stays: it is
 * a mistake that has to be reported.
 */
export function setAt(tree: Tree, leaf: Leaf, value: unknown): void {
  let section = tree;
  for (const name of leaf.path.slice(0, -1)) {
    section[name] ??= emptyTree();
    const next = section[name];
    if (!isTree(next)) return;
    section = next;
  }
  section[leaf.path.at(-1)!] = value;
}
