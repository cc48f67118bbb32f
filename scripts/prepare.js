// What every script needs first: the dependencies of the lock file, and a build that is not older than its sources.
// Only Node's own modules here: on a fresh clone there is nothing else.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK_MARK = join(root, 'node_modules', '.paynetctl-lock');
const BUILD_MARK = join(root, 'dist', '.built');

/** Runs a program in the project's folder, its output on standard error; ends this process when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, {cwd: root, stdio: ['ignore', 2, 2], ...options});
  if (result.error !== undefined) fail(`${command}: ${result.error.message}`);
  if (result.status !== 0) fail(`${command} ${args.join(' ')} ended with ${result.status ?? result.signal}`);
}

export function fail(text) {
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

/** Installs what the lock file says, unless that is what is installed. */
export function ensureInstalled() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`paynetctl needs Node.js 20.19 or later; this is ${process.versions.node}`);
  }
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(LOCK_MARK) && readFileSync(LOCK_MARK, 'utf8') === lock) return;
  process.stderr.write('Installing the dependencies (once) …\n');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(LOCK_MARK, lock);
}

/** Compiles src/ to dist/ and lists the commands, unless dist/ is newer than everything it is made of. */
export function ensureBuilt() {
  if (
    existsSync(BUILD_MARK) &&
    newest(['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json']) <= mtime(BUILD_MARK)
  ) {
    return;
  }
  process.stderr.write('Building …\n');
  build();
}

export function build() {
  rmSync(join(root, 'dist'), {recursive: true, force: true});
  run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json']);
  // The list of commands: without it every start would load all of them.
  run(process.execPath, ['node_modules/oclif/bin/run.js', 'manifest'], {
    env: {...process.env, OCLIF_SKIP_NEW_VERSION_CHECK: 'true'},
  });
  writeFileSync(BUILD_MARK, '');
}

function newest(names) {
  return Math.max(...names.map((name) => newestUnder(join(root, name))));
}

function newestUnder(path) {
  if (!statSync(path).isDirectory()) return mtime(path);
  const inside = readdirSync(path).map((name) => newestUnder(join(path, name)));
  return Math.max(mtime(path), ...inside);
}

function mtime(path) {
  return statSync(path).mtimeMs;
}
