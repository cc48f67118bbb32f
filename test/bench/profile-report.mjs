// What a CPU profile says: the functions with the most time of their own, and the modules they belong to.
import {relative} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const FUNCTIONS = 30;
const MODULES = 20;
/** Waiting is no work. */
const IDLE = new Set(['(idle)', '(root)', '(program)']);

/** A text about a profile; shares are of the time in which the thread worked in JavaScript or was called from it. */
export function profileText({nodes, samples, timeDeltas}) {
  const self = new Map();
  for (const [at, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + timeDeltas[at]);
  const functions = new Map();
  const modules = new Map();
  let total = 0;
  for (const {id, callFrame} of nodes) {
    const time = self.get(id) ?? 0;
    const {functionName, url, lineNumber} = callFrame;
    if (time === 0 || IDLE.has(functionName)) continue;
    total += time;
    const module = moduleOf(url, functionName);
    add(modules, module, time);
    add(functions, `${functionName || '(anonymous)'}  ${module}${url === '' ? '' : `:${lineNumber + 1}`}`, time);
  }
  const lines = (map, count) =>
    [...map]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(([name, time]) => `${((time / total) * 100).toFixed(1).padStart(6)} %  ${name}`);
  return ['functions', ...lines(functions, FUNCTIONS), 'modules', ...lines(modules, MODULES)].join('\n');
}

function add(map, name, time) {
  map.set(name, (map.get(name) ?? 0) + time);
}

function moduleOf(url, functionName) {
  if (url === '') return functionName.startsWith('(') ? functionName : 'native';
  if (!url.startsWith('file:')) return url;
  const path = relative(root, fileURLToPath(url));
  return /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? path;
}
