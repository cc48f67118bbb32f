// `npm run soak -- --rounds 100 [--seed n]`: kills the server again and again under load, and counts what is lost.
import {ensureBuilt, ensureInstalled, run} from './prepare.js';

ensureInstalled();
ensureBuilt();
run(process.execPath, ['--import', 'tsx', 'test/chaos/soak-main.ts', ...process.argv.slice(2)], {stdio: 'inherit'});
