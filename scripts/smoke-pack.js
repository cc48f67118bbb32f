// Packs the project, installs the tarball as a user would, globally into a folder of its own, and uses it.
import {spawnSync} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {root} from './prepare.js';

const dir = mkdtempSync(join(tmpdir(), 'paynetctl-pack-'));
const results = {passed: 0, failed: 0};

function check(name, command, args, accept) {
  const {status, stdout, stderr, error} = spawnSync(command, args, {cwd: dir, encoding: 'utf8', timeout: 300_000});
  let fault = error?.message;
  try {
    fault ??= accept(stdout ?? '', status) ? undefined : 'not as expected';
  } catch (thrown) {
    fault = thrown.message;
  }
  if (fault === undefined) results.passed++;
  else results.failed++;
  process.stderr.write(
    `pack: ${name}: ${fault === undefined ? 'passed' : `FAILED (${fault}, exit ${status})\n${stdout}\n${stderr}`}\n`,
  );
  return stdout ?? '';
}

try {
  const packed = check(
    'npm pack',
    'npm',
    ['pack', '--json', '--pack-destination', dir, root],
    (out) => JSON.parse(out)[0].filename,
  );
  const {filename, files} = JSON.parse(packed)[0];
  check('no tests, sources or scripts inside', process.execPath, ['-e', ''], () =>
    files.every(({path}) => !/^(src|test|scripts|\.ci|node_modules)\//.test(path)),
  );
  check(
    'npm install --global',
    'npm',
    ['install', '--global', '--prefix', dir, '--no-audit', '--no-fund', '--loglevel=error', join(dir, filename)],
    (_, status) => status === 0,
  );
  const bin = join(dir, 'bin', 'paynetctl');
  const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
  check('--version', bin, ['--version'], (out) => out.includes(`paynetctl/${version}`));
  check('--help', bin, ['--help'], (out) => out.includes('quickstart') && out.includes('serve'));
  check(
    'tls gencert',
    bin,
    ['tls', 'gencert', '--cn', 'device001', '--out', './certs', '--json'],
    (out) => JSON.parse(out).cn === 'device001',
  );
  check('frame decode', bin, ['frame', 'decode', '--json', '0000000603088080808001'], (_, status) => status === 1);
  check(
    'quickstart --once',
    bin,
    ['quickstart', '--once', '--dir', 'quickstart', '--json'],
    (out, status) => status === 0 && JSON.parse(out).ok,
  );
  writeFileSync(
    join(dir, 'sdk.mjs'),
    "import {PaynetClient, PaynetServer, MessageRegistry} from 'paynetctl';\nconsole.log(new MessageRegistry().list().length, typeof PaynetClient, typeof PaynetServer);\n",
  );
  check(
    'npm install',
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error', join(dir, filename)],
    (_, status) => status === 0,
  );
  check('import from the package', process.execPath, ['sdk.mjs'], (out) => /^\d+ function function/.test(out));
} finally {
  rmSync(dir, {recursive: true, force: true});
}
writeFileSync(join(root, 'test-results', 'pack.json'), JSON.stringify(results));
process.exitCode = results.failed === 0 ? 0 : 1;
