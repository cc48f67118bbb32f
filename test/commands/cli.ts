import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {resolve} from 'node:path';
import {createInterface, type Interface} from 'node:readline';

const bin = resolve(import.meta.dirname, '../../bin/run.js');

export interface Running {
  child: ChildProcess;
  /** Standard output so far, and standard error. */
  out: () => string;
  err: () => string;
  /** The next line of standard output that matches, after the one that was asked for before. */
  line(match: RegExp): Promise<string>;
  /** Resolves with exit code, or the signal that ended it. */
  ended: Promise<number | NodeJS.Signals | null>;
}

export interface StartOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Flags of Node itself. */
  node?: readonly string[];
}

/** Starts the real command as a user would, without a terminal. */
export function start(args: readonly string[], options: StartOptions = {}): Running {
  const child = spawn(process.execPath, [...(options.node ?? []), bin, ...args], {
    cwd: options.cwd,
    env: {...process.env, NO_COLOR: '1', ...options.env},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  const waiting: {match: RegExp; resolve(line: string): void}[] = [];
  let lines: string[] = [];
  const reader: Interface = createInterface({input: child.stdout!});
  reader.on('line', (line) => {
    const wait = waiting[0];
    if (wait === undefined) lines.push(line);
    else if (wait.match.test(line)) waiting.shift()?.resolve(line);
  });
  child.stdout!.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  return {
    child,
    out: () => out,
    err: () => err,
    ended,
    line: (match) =>
      Promise.race([
        new Promise<string>((found) => {
          const before = lines.findIndex((line) => match.test(line));
          const line = lines[before];
          lines = before < 0 ? [] : lines.slice(before + 1);
          if (line !== undefined) found(line);
          else waiting.push({match, resolve: found});
        }),
        ended.then((code): never => {
          throw new Error(`ended with ${code} before a line like ${match}\n${out}\n${err}`);
        }),
      ]),
  };
}

/** Runs the command to its end. */
export async function cli(
  args: readonly string[],
  options: StartOptions = {},
): Promise<{code: number | NodeJS.Signals | null; out: string; err: string}> {
  const running = start(args, options);
  const code = await running.ended;
  return {code, out: running.out(), err: running.err()};
}
