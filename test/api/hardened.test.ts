import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {expect, it} from 'vitest';

const PROGRAM = `
import {startApi} from './src/lib/api/index.ts';
await startApi({addr: '127.0.0.1:0', ports: {subscribe: () => () => {}}}).catch(({code}) => console.log(code));
`;

it('is refused with one clear error where code may not be made out of strings', async () => {
  const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', PROGRAM];
  const {stdout} = await promisify(execFile)(process.execPath, flags);
  expect(stdout).toBe('API_HARDENED\n');
});
