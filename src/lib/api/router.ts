import {ApiError} from './errors.js';

interface Entry<Route> {
  names: readonly string[];
  route: Route;
}

interface Node<Route> {
  children: Map<string, Node<Route>>;
  any: Node<Route> | undefined;
  /** By method. */
  entries: Map<string, Entry<Route>>;
}

export interface Found<Route> {
  /** Undefined when nothing is at this path for this method. */
  route: Route | undefined;
  params: Record<string, string>;
  /** The methods for which there is something at this path. */
  allowed: readonly string[];
}

const newNode = <Route>(): Node<Route> => ({children: new Map(), any: undefined, entries: new Map()});

/** Finds what stands for a method and a path, where ":name" is any one segment; a fixed segment goes before it. */
export class Router<Route> {
  readonly #root: Node<Route> = newNode();

  add(method: string, path: string, route: Route): void {
    const names: string[] = [];
    let node = this.#root;
    for (const segment of segmentsOf(path)) {
      if (segment.startsWith(':')) {
        names.push(segment.slice(1));
        node.any ??= newNode();
        node = node.any;
      } else {
        const child = node.children.get(segment) ?? newNode<Route>();
        node.children.set(segment, child);
        node = child;
      }
    }
    if (node.entries.has(method)) throw new Error(`${method} ${path} is there twice`);
    node.entries.set(method, {names, route});
  }

  /** @throws ApiError INVALID_PARAMETER when a segment that counts is not UTF-8 */
  find(method: string, path: string): Found<Route> {
    const allowed: string[] = [];
    const segments = segmentsOf(path);
    const values: string[] = [];
    const entry = this.#walk(this.#root, segments, 0, method, values, allowed);
    const params: Record<string, string> = {};
    entry?.names.forEach((name, index) => {
      params[name] = decode(values[index] ?? '');
    });
    return {route: entry?.route, params, allowed};
  }

  #walk(
    node: Node<Route>,
    segments: readonly string[],
    index: number,
    method: string,
    values: string[],
    allowed: string[],
  ): Entry<Route> | undefined {
    const segment = segments[index];
    if (segment === undefined) {
      const entry = node.entries.get(method);
      if (entry === undefined) allowed.push(...[...node.entries.keys()].filter((each) => !allowed.includes(each)));
      return entry;
    }
    const child = node.children.get(segment);
    const found = child && this.#walk(child, segments, index + 1, method, values, allowed);
    if (found !== undefined || node.any === undefined || segment === '') return found;
    values.push(segment);
    const other = this.#walk(node.any, segments, index + 1, method, values, allowed);
    if (other === undefined) values.pop();
    return other;
  }
}

const segmentsOf = (path: string): string[] => path.slice(1).split('/');

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new ApiError('INVALID_PARAMETER', 'the path is not UTF-8');
  }
}
