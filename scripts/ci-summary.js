// Adds up what ran and prints it as the last line. A step that failed before it could count counts as one failure.
import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {root} from './prepare.js';

const [testStatus, packStatus] = process.argv.slice(2).map(Number);
const read = (name) => {
  const path = join(root, 'test-results', name);
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
};
const tests = read('vitest.json');
const pack = read('pack.json');
const passed = (tests?.numPassedTests ?? 0) + (pack?.passed ?? 0);
let failed = (tests?.numFailedTests ?? 0) + (pack?.failed ?? 0);
if (failed === 0 && (testStatus !== 0 || packStatus !== 0)) failed = 1;
if (failed === 0 && passed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
