import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {chmodSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {CreatedKey} from '../../src/lib/api/index.js';
import {type Ran, type RunOptions, run} from './run.js';

/** A person who runs commands, with a folder of settings that is nobody else's. */
export interface Operator {
  folder: string;
  env: NodeJS.ProcessEnv;
  run(args: readonly string[], options?: RunOptions): Promise<Ran>;
  /** Runs a command with --json that must succeed. */
  json(...args: string[]): Promise<Record<string, unknown>>;
  /** Writes a file of the folder, for its owner only unless told. */
  write(name: string, text: string, mode?: number): string;
}

type AtEnd = (end: () => void) => void;

/** Without a server and a key the environment says nothing. */
export function operator(atEnd: AtEnd, origin?: string, key?: Pick<CreatedKey, 'key' | 'hmacSecret'>): Operator {
  const folder = mkdtempSync(join(tmpdir(), 'paynet-operator-'));
  atEnd(() => rmSync(folder, {recursive: true, force: true}));
  const env: NodeJS.ProcessEnv = {
    XDG_CONFIG_HOME: join(folder, 'config'),
    TZ: 'Asia/Shanghai',
    PAYNETCTL_SERVER: origin ?? '',
    PAYNETCTL_KEY: key?.key ?? '',
    PAYNETCTL_SECRET: key?.hmacSecret ?? '',
    PAYNETCTL_CONTEXT: '',
  };
  const runAs = (args: readonly string[], options: RunOptions = {}): Promise<Ran> =>
    run(args, {cwd: folder, ...options, env: {...env, ...options.env}});
  return {
    folder,
    env,
    run: runAs,
    async json(...args) {
      const {code, stdout, stderr} = await runAs([...args, '--json']);
      if (code !== 0 || stderr !== '') throw new Error(`${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`);
      return JSON.parse(stdout) as Record<string, unknown>;
    },
    write(name, text, mode = 0o600) {
      const path = join(folder, name);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    },
  };
}

/**
 * Runs a command on a terminal of so many columns; each answer is typed when its question is shown. What it prints
 * comes as the terminal got it.
 */
export async function onTerminal(
  args: readonly string[],
  options: {
    env: NodeJS.ProcessEnv;
    columns?: number;
    answers?: readonly (readonly [question: string, typed: string])[];
  },
): Promise<{code: number; screen: string}> {
  const cli = join(import.meta.dirname, '../../bin/run.js');
  const command = [process.execPath, cli, ...args].map((word) => `'${word}'`).join(' ');
  const sized = `stty cols ${options.columns ?? 200}; exec ${command}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', sized, '/dev/null'], {
    env: {...process.env, NODE_ENV: 'production', NO_COLOR: '1', SHELL: '/bin/sh', ...options.env},
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const answers = [...(options.answers ?? [])];
  let screen = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
    const [question, typed] = answers[0] ?? [];
    const at = question === undefined ? -1 : screen.indexOf(question, seen);
    if (at < 0) return;
    seen = at + (question?.length ?? 0);
    answers.shift();
    child.stdin.write(`${typed}\r`);
  });
  const [code] = (await once(child, 'close')) as [number];
  return {code, screen};
}
