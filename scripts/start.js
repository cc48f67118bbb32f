// `npm start`: from a fresh clone to a device that pays out coins. Arguments go to `paynetctl quickstart`.
import {spawn} from 'node:child_process';
import {join} from 'node:path';
import {ensureBuilt, ensureInstalled, root} from './prepare.js';

ensureInstalled();
ensureBuilt();
const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'quickstart', ...process.argv.slice(2)], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child by itself; this process only waits for it.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
