import {readdirSync, readFileSync, statSync} from 'node:fs';
import {dirname, join, relative, resolve} from 'node:path';
import {describe, expect, it} from 'vitest';

const src = resolve(import.meta.dirname, '../src');

/** The floors of the house, from the ground. A module may use those below its own, and nothing else. */
const floors: readonly (readonly string[])[] = [
  ['errors'],
  ['frame', 'registry', 'config'],
  ['observe'],
  ['tls', 'store', 'session', 'proto'],
  ['link', 'device', 'devices', 'orders', 'outbound', 'events', 'payments', 'epay', 'cluster', 'client'],
  ['api', 'simulator', 'monitor', 'doctor', 'hooks'],
  ['server'],
  ['quickstart'],
  ['cli'],
  ['commands', 'index', 'console'],
];

/** What a module may use on its own floor. */
const beside: Record<string, readonly string[]> = {
  // For writing files whole or not at all.
  proto: ['tls'],
  // An order, its command and its event are written in one transaction.
  orders: ['events', 'outbound'],
  // A device's row and its event likewise.
  devices: ['events'],
  // Calls are signed as webhooks are.
  client: ['events'],
};

/** What a module may not use although it lies below: the wire knows no database. */
const never: Record<string, readonly string[]> = {
  link: ['store', 'proto'],
  device: ['store', 'proto'],
  // A client knows the interface, not the server behind it.
  client: ['observe', 'tls', 'store', 'session', 'proto'],
  // No schema that is read at run time where money is served: generated code only.
  server: ['proto'],
};

const floorOf = new Map(floors.flatMap((modules, floor) => modules.map((name) => [name, floor] as const)));

interface Import {
  /** Both below src, with their real endings. */
  from: string;
  to: string;
  typesOnly: boolean;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const STATEMENT = /^\s*(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'(\.[^']*)'/gm;
const CALL = /\bimport\(\s*'(\.[^']*)'\s*\)/g;

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8');
  const found = [
    ...Array.from(text.matchAll(STATEMENT), ([, type, to]) => ({to, typesOnly: type !== undefined})),
    ...Array.from(text.matchAll(CALL), ([, to]) => ({to, typesOnly: false})),
  ];
  return found.map(({to, typesOnly}) => {
    const target = resolve(dirname(file), to as string).replace(/\.js$/, '.ts');
    const real = statSync(target, {throwIfNoEntry: false}) ? target : target.replace(/\.ts$/, '.tsx');
    return {from: relative(src, file), to: relative(src, real), typesOnly};
  });
}

/** `lib/link/paynet/driver.ts` is of `link`, `lib/errors.ts` is `errors`, `commands/serve.ts` is of `commands`. */
function moduleOf(path: string): string {
  const parts = path.split('/');
  return (parts[0] === 'lib' ? parts[1] : parts[0])?.replace(/\.tsx?$/, '') ?? '';
}

const files = filesBelow(src).map((file) => relative(src, file));
const imports = files.flatMap((file) => importsOf(join(src, file)));
const between = imports.filter(({from, to}) => moduleOf(from) !== moduleOf(to));

function mayUse(user: string, used: string): boolean {
  const from = floorOf.get(user) ?? -1;
  const to = floorOf.get(used) ?? Number.POSITIVE_INFINITY;
  if (never[user]?.includes(used)) return false;
  return to < from || (beside[user]?.includes(used) ?? false);
}

/** The first circle in a graph, as the way round it; undefined when there is none. */
function circleIn(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = visit(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = visit(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

function graphOf(list: readonly Import[], name: (path: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const {from, to} of list) {
    const edges = graph.get(name(from)) ?? new Set();
    edges.add(name(to));
    graph.set(name(from), edges);
  }
  return graph;
}

const shown = (list: readonly Import[]): string[] => list.map(({from, to}) => `${from} imports ${to}`);

describe('the house', () => {
  it('is read at all', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(shown(between)).toContain('lib/server.ts imports lib/link/index.ts');
  });

  it('has no room that is not on a floor', () => {
    const rooms = new Set([
      ...readdirSync(join(src, 'lib')).map((entry) => moduleOf(`lib/${entry}`)),
      ...readdirSync(src)
        .filter((entry) => entry !== 'lib')
        .map(moduleOf),
    ]);
    expect([...rooms].filter((room) => !floorOf.has(room))).toEqual([]);
  });

  it('has imports that go down, never up', () => {
    expect(shown(between.filter(({from, to}) => !mayUse(moduleOf(from), moduleOf(to))))).toEqual([]);
  });

  it("is entered through each module's face", () => {
    const past = between.filter(({to}) => !/^lib\/[^/]+(\/index)?\.ts$/.test(to) && moduleOf(to) !== 'cli');
    expect(shown(past)).toEqual([]);
  });

  it('has no circles, neither of modules nor (types aside) of files', () => {
    expect(circleIn(graphOf(between, moduleOf))).toBeUndefined();
    expect(
      circleIn(
        graphOf(
          imports.filter(({typesOnly}) => !typesOnly),
          (path) => path,
        ),
      ),
    ).toBeUndefined();
  });

  it('has adapters that know nothing of each other, and a device SDK that knows nothing of the gateway', () => {
    const adapterOf = (path: string): string | undefined => /^lib\/link\/([^/]+)\//.exec(path)?.[1];
    const across = imports.filter(({from, to}) => {
      const [one, other] = [adapterOf(from), adapterOf(to)];
      return one !== undefined && other !== undefined && one !== other;
    });
    expect(shown(across)).toEqual([]);
  });

  it('has tables that say what they mean', () => {
    expect(floors.flat().length).toBe(floorOf.size);
    for (const [user, used] of [...Object.entries(beside), ...Object.entries(never)]) {
      expect([user, ...used].filter((name) => !floorOf.has(name))).toEqual([]);
    }
    expect(
      mayUse('link', 'orders') || mayUse('orders', 'link') || mayUse('link', 'store') || mayUse('frame', 'link'),
    ).toBe(false);
    expect(mayUse('link', 'session') && mayUse('commands', 'server') && mayUse('session', 'observe')).toBe(true);
    expect(circleIn(new Map(Object.entries(beside).map(([user, used]) => [user, new Set(used)])))).toBeUndefined();
    expect(
      circleIn(
        new Map([
          ['a', new Set(['b'])],
          ['b', new Set(['a'])],
        ]),
      ),
    ).toEqual(['a', 'b', 'a']);
  });
});
