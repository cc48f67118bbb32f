import {dirname, isAbsolute, resolve} from 'node:path';
import {type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap} from 'yaml';
import type {ConfigIssue} from './errors.js';
import type {Origin, Origins} from './origins.js';
import {substitute, textToValue} from './text.js';
import {emptyTree, leaves, type Tree} from './tree.js';
import {MAX_DEPTH, tooDeepAt} from './yaml-guard.js';

export interface Source {
  /** Undefined when the text could not be understood as a whole. */
  tree: Tree | undefined;
  origins: Origins;
  issues: ConfigIssue[];
}

/**
 * Turns YAML text into a tree of plain values, and remembers where each one stands.
 * Relative paths count from the folder of the file. Aliases, custom tags and a second document are refused.
 */
export function readYaml(file: string, text: string, env: NodeJS.ProcessEnv): Source {
  const origins: Origins = {values: new Map(), keys: new Map()};
  const issues: ConfigIssue[] = [];
  const at = places(file, text);
  const report = (offset: number, key: string, message: string) => {
    const {place, line, column} = at(offset);
    issues.push({place, line, column, key, message});
  };
  origins.keys.set('', at(0));
  return {tree: understand(), origins, issues};

  function understand(): Tree | undefined {
    const deep = tooDeepAt(text);
    if (deep !== undefined) {
      report(deep, '', `is nested deeper than ${MAX_DEPTH} levels; a configuration has three`);
      return undefined;
    }
    const document = parse(text);
    for (const {pos, code, message} of [...document.errors, ...document.warnings]) {
      report(pos[0], '', SYNTAX[code] ?? message);
    }
    if (issues.length > 0) return undefined;
    if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
      report(0, '', 'only YAML 1.2 is understood: remove the %YAML line');
      return undefined;
    }
    const root = document.contents;
    if (root === null || (isScalar(root) && root.value === null)) return emptyTree();
    if (isMap(root)) return readMap(root, []);
    report(offsetOf(root, 0), '', 'must be sections with keys, like "server:" with its settings below');
    return undefined;
  }

  function readMap(map: YAMLMap, path: readonly string[]): Tree {
    const section = emptyTree();
    for (const {key, value} of map.items) {
      const start = offsetOf(key, offsetOf(map, 0));
      const name = isScalar(key) ? String(key.value) : '';
      if (name === '' || name.includes('.')) {
        report(start, path.join('.'), 'a key must be one word, and sections are nested, not joined by dots');
        continue;
      }
      const child = [...path, name];
      origins.keys.set(child.join('.'), at(start));
      section[name] = readNode(value, child, offsetOf(value, start));
    }
    return section;
  }

  function readNode(node: unknown, path: readonly string[], offset: number): unknown {
    const key = path.join('.');
    origins.values.set(key, at(offset));
    if (node === null) return null;
    if (isMap(node)) return readMap(node, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => readNode(item, [...path, String(index)], offsetOf(item, offset)));
    }
    if (isScalar(node)) return readScalar(node.value, key, offset);
    report(offset, key, 'aliases are not understood here: write the value itself');
    return null;
  }

  function readScalar(value: unknown, key: string, offset: number): unknown {
    const leaf = leaves.get(key) ?? leaves.get(key.replace(/\.\d+$/, ''));
    if (typeof value === 'bigint' || typeof value === 'number') {
      const number = Number(value);
      if (typeof value === 'bigint' && !Number.isSafeInteger(number)) {
        report(offset, key, 'is a number beyond 2^53, which would lose digits');
      }
      // A bare number in a file does not say its unit; as text it is asked for one.
      return leaf?.kind === 'duration' ? String(value) : number;
    }
    if (typeof value !== 'string') return value;
    const {text: full, names, problem} = substitute(value, env);
    if (problem !== undefined) report(offset, key, problem);
    if (names.length > 0) {
      origins.values.set(key, {...at(offset), variable: names.map((name) => `\${${name}}`).join(' and ')});
    }
    if (leaf === undefined) return full;
    if (leaf.kind === 'path' || leaf.kind === 'paths') return fromFolder(full);
    return names.length > 0 ? textToValue(leaf, full) : full;
  }

  function fromFolder(path: string): string {
    if (path === '' || path.startsWith('-----BEGIN') || isAbsolute(path)) return path;
    return resolve(dirname(file), path);
  }
}

/** The errors of the parser that speak to programmers, said for everybody. */
const SYNTAX: Record<string, string> = {
  DUPLICATE_KEY: 'this key is there twice',
  MULTIPLE_DOCS: 'a second document begins here; a configuration is one',
  TAG_RESOLVE_FAILED: 'tags like !name are not understood here',
};

function parse(text: string): Document {
  return parseDocument(text, {
    schema: 'core',
    version: '1.2',
    strict: true,
    uniqueKeys: true,
    merge: false,
    intAsBigInt: true,
    prettyErrors: false, // They repeat the lines around an error, and with them maybe a password.
    logLevel: 'error', // 'silent' would also drop the error about a second document.
  });
}

function places(file: string, text: string): (offset: number) => Origin {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1);
  return (offset) => {
    const {line, col} = lines.linePos(offset);
    return {place: `${file}:${line}:${col}`, line, column: col};
  };
}

function offsetOf(node: unknown, otherwise: number): number {
  return (node as Node | null)?.range?.[0] ?? otherwise;
}
