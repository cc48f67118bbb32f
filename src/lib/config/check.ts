import type {z} from 'zod';
import {ConfigError, type ConfigIssue, quote, show} from './errors.js';
import {NOT_ALLOWED} from './leaf.js';
import {nearest} from './nearest.js';
import {nearestOrigin, type Origins} from './origins.js';
import {type Config, type ConfigFor, type Need, schema} from './schema.js';
import {emptyTree, isTree, leaves, sections, type Tree, valueAt} from './tree.js';

/**
 * Fills in defaults, checks everything at once, freezes.
 * @param found what was wrong before, to be reported together with the rest
 * @throws ConfigError with all that is wrong
 */
export function check<N extends Need>(tree: Tree, origins: Origins, found: ConfigIssue[], need: N): ConfigFor<N> {
  fillSections(tree);
  const issues = [...found];
  if (tree[need] === undefined) {
    issues.push({...nearestOrigin(origins, []), key: '', message: `the section "${need}" is required here`});
  }
  const result = schema.safeParse(tree);
  if (!result.success) {
    for (const issue of result.error.issues) issues.push(...explain(issue, tree, origins));
  }
  if (issues.length > 0) throw new ConfigError(oneEach(issues));
  return freeze(result.data as Config) as ConfigFor<N>;
}

/** A section that is left out or empty is there with nothing in it; so its own missing keys are reported. */
function fillSections(tree: Tree): void {
  for (const {path, optional} of sections.values()) {
    const above = valueAt(tree, path.slice(0, -1));
    const name = path.at(-1);
    if (name === undefined || !isTree(above)) continue;
    if (above[name] === null || (above[name] === undefined && !optional)) above[name] = emptyTree();
  }
}

function explain(issue: z.core.$ZodIssue, tree: Tree, origins: Origins): ConfigIssue[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((name) => unknownKey(name, issue.path, origins));
  // An issue inside a list belongs to the setting that holds the list.
  const length = issue.path.findLastIndex((_, index) => leaves.has(issue.path.slice(0, index + 1).join('.'))) + 1;
  const path = length > 0 ? issue.path.slice(0, length) : issue.path;
  const key = path.join('.');
  const leaf = leaves.get(key);
  const value = valueAt(tree, path);
  const message = issue.code === 'custom' && issue.message !== NOT_ALLOWED ? issue.message : '';
  if (value === undefined) {
    const {place, line, column} = nearestOrigin(origins, path);
    return [{place, line, column, key, message: message || `is required: ${leaf?.allowed ?? sectionText(key)}`}];
  }
  const {place, line, column, variable} = origins.values.get(key) ?? nearestOrigin(origins, path);
  const must = `must be ${leaf?.allowed ?? sectionText(key)}`;
  if (leaf?.secret) return [{place, line, column, key, message: message || must}];
  if (variable !== undefined) return [{place, line, column, key, message: `${must}; the value of ${variable} is not`}];
  return [{place, line, column, key, message: message || `${must}, not ${show(value)}`}];
}

function sectionText(key: string): string {
  return `a section with ${sections.get(key)?.names.join(', ') ?? 'keys'}`;
}

function unknownKey(name: string, path: readonly PropertyKey[], origins: Origins): ConfigIssue {
  const {place, line, column} = nearestOrigin(origins, [...path, name]);
  const names = sections.get(path.join('.'))?.names ?? [];
  const near = nearest(name, names);
  const elsewhere = [...leaves.keys()].find((key) => key.endsWith(`.${name}`));
  const advice = near ?? elsewhere;
  const key = [...path, /^\w+$/.test(name) ? name : quote(name)].join('.');
  const message =
    advice === undefined ? `unknown key; allowed here: ${names.join(', ')}` : `unknown key; did you mean ${advice}?`;
  return {place, line, column, key, message};
}

/** The first thing that is wrong with a setting; what follows from it says nothing new. */
function oneEach(issues: readonly ConfigIssue[]): ConfigIssue[] {
  const seen = new Set<string>();
  return issues.filter(({key}) => key === '' || (!seen.has(key) && seen.add(key)));
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
