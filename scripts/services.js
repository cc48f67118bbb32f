// The programs beside Node that tests run. Nothing is left running here: tests start their own and end them.
import {spawnSync} from 'node:child_process';
import {accessSync, constants, existsSync} from 'node:fs';
import {delimiter, join} from 'node:path';
import {fail} from './prepare.js';

const SERVICES = [{program: 'redis-server', debian: 'redis-server', elsewhere: 'Redis 7 or newer'}];

/**
 * Makes sure that every program is on the PATH. On Debian and its kin, as root, what is missing is installed; anywhere
 * else this ends the process with one sentence that says what to install.
 */
export async function ensureServices() {
  const missing = SERVICES.filter(({program}) => !isOnPath(program));
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const packages = missing.map(({debian}) => debian);
    process.stderr.write(`installing for the tests: ${packages.join(' ')}\n`);
    apt('update');
    // A package may start its service: the tests need the program only.
    apt('install', '-y', '--no-install-recommends', ...packages);
  }
  const left = missing.filter(({program}) => !isOnPath(program));
  if (left.length === 0) return;
  const what = left.map(({program, elsewhere}) => `${program} (${elsewhere})`).join(', ');
  const hint = `on Debian or Ubuntu: apt-get install ${left.map(({debian}) => debian).join(' ')}`;
  fail(`the tests need ${what} on the PATH; ${hint}`);
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function apt(...args) {
  const env = {...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1'};
  const {status, stderr} = spawnSync('apt-get', args, {env, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe']});
  if (status !== 0) process.stderr.write(`apt-get ${args[0]} failed:\n${stderr ?? ''}`);
}
