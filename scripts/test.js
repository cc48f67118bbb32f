// `npm test`: everything a change has to pass, from a fresh clone on. Arguments go to vitest (a folder, a name).
import {spawnSync} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';
import {ensureInstalled, root, run} from './prepare.js';

ensureInstalled();
const {ensureServices} = await import('./services.js');
await ensureServices();

const node = (script, ...args) => [process.execPath, [join('node_modules', script), ...args]];
const only = process.argv.slice(2);
const steps = [
  ['lint', ...node('@biomejs/biome/bin/biome', 'ci', '.')],
  ['types', ...node('typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit')],
  ['build', process.execPath, ['scripts/build.js']],
];
for (const [name, command, args] of steps) {
  const began = Date.now();
  run(command, args);
  process.stderr.write(`${name}: passed (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
}

const results = join(root, 'test-results');
mkdirSync(results, {recursive: true});
const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${join(results, 'vitest.json')}`];
const [command, args] = node('vitest/vitest.mjs', 'run', ...reporters, ...only);
const tests = spawnSync(command, args, {cwd: root, stdio: 'inherit'});
process.exitCode = tests.status ?? 1;
