import {execFile} from 'node:child_process';
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join, resolve} from 'node:path';
import {promisify} from 'node:util';
import {describe, expect, it, onTestFinished} from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const bin = join(root, 'node_modules/.bin');
const run = promisify(execFile);

function buf(...args: string[]): Promise<{stdout: string; stderr: string}> {
  const env = {...process.env, PATH: `${bin}${delimiter}${process.env.PATH}`};
  return run(join(bin, 'buf'), args, {cwd: root, env, timeout: 60_000});
}

describe('the generated code', () => {
  it('is what the generator makes of the messages now', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'paynet-buf-'));
    onTestFinished(() => rm(folder, {recursive: true, force: true}));
    // The template names its output below the current folder; `-o` puts that below another one.
    await buf('generate', 'proto', '--template', 'proto/buf.gen.yaml', '-o', folder);
    const file = 'src/lib/registry/generated/paybox.ts';
    const [made, checkedIn] = await Promise.all([
      readFile(join(folder, file), 'utf8'),
      readFile(join(root, file), 'utf8'),
    ]);
    expect(checkedIn, 'run `npm run gen`').toBe(made);
  });

  it('comes from messages that buf finds nothing wrong with', async () => {
    await expect(buf('lint', 'proto')).resolves.toMatchObject({stdout: '', stderr: ''});
  });
});
