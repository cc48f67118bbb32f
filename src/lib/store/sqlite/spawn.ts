import {Worker} from 'node:worker_threads';
import type {WriterOptions} from './messages.js';

/** Starts the writer's thread: from the build, or, when this is a source file (tests), by way of tsx. */
export function spawnWriter(options: WriterOptions): Worker {
  const settings = {workerData: options, execArgv: [], name: 'store'};
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), settings);
  const [tsx, source] = [import.meta.resolve('tsx/esm/api'), new URL('./worker.ts', import.meta.url).href];
  const code = `import('${tsx}').then(({register}) => { register(); return import('${source}'); })`;
  return new Worker(code, {...settings, eval: true});
}
