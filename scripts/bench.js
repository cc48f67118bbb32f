// `npm run bench`: the server against bare references. Arguments go to the bench; --help lists them.
import {HELP, parseOptions} from '../test/bench/options.mjs';
import {ensureBuilt, ensureInstalled, fail, root} from './prepare.js';

let options;
try {
  options = parseOptions(process.argv.slice(2));
} catch (error) {
  fail(`${error.message}\n\n${HELP}`);
}
if (options.help) {
  process.stdout.write(HELP);
} else {
  ensureInstalled();
  ensureBuilt();
  const {bench} = await import('../test/bench/main.mjs');
  process.exitCode = await bench(options, root);
}
