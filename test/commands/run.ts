import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {join} from 'node:path';

/** The real command line; the build that it runs is made fresh before the tests. */
const cli = join(import.meta.dirname, '../../bin/run.js');

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  /** stdout as it came. */
  bytes: Buffer;
}

export interface RunOptions {
  cwd?: string;
  /** What comes on stdin; without it stdin is empty. */
  input?: string | Uint8Array;
  env?: NodeJS.ProcessEnv;
}

/** Runs a command, such as ["frame", "decode"], in a process of its own and without a terminal. */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const started = spawn(process.execPath, [cli, ...args], {
    cwd: options.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {...process.env, NO_COLOR: '1', NODE_ENV: 'production', ...options.env},
  });
  const out: Buffer[] = [];
  let stderr = '';
  started.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  started.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  // A command that refuses its flags ends without reading what is piped in.
  started.stdin.on('error', () => {});
  started.stdin.end(options.input ?? '');
  const [code] = (await once(started, 'close')) as [number];
  const bytes = Buffer.concat(out);
  return {code, stdout: bytes.toString(), stderr, bytes};
}
