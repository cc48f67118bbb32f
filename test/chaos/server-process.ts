import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {openSync} from 'node:fs';
import {resolve} from 'node:path';
import {createInterface} from 'node:readline';

const BIN = resolve(import.meta.dirname, '../../bin/run.js');

export interface ServerProcessOptions {
  configFile: string;
  /** Its standard error goes there, life after life. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
  /** A program that starts it, with its arguments. */
  wrapper?: readonly string[];
}

/** The server as an operator runs it: `paynetctl serve`, in a process that can be killed and started again. */
export class ServerProcess {
  /** How it has ended, each time: a signal or an exit code. */
  readonly ends: (number | NodeJS.Signals | null)[] = [];
  readonly #options: ServerProcessOptions;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: ServerProcessOptions) {
    this.#options = options;
  }

  get runs(): boolean {
    return this.#child !== undefined;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when it listens, or has ended before. `crashAt`: see crash-point.ts. */
  async start(crashAt?: string): Promise<boolean> {
    const {configFile, logFile, env, wrapper = []} = this.#options;
    const log = openSync(logFile, 'a');
    const [program = '', ...args] = [...wrapper, process.execPath, BIN, 'serve', '-c', configFile, '--json'];
    const child = spawn(program, args, {
      env: {...process.env, ...env, ...(crashAt !== undefined && {PAYNET_CRASH_AT: crashAt})},
      stdio: ['ignore', 'pipe', log],
    });
    this.#child = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => {
      this.#child = undefined;
      this.ends.push(code ?? signal);
    });
    const lines = createInterface({input: child.stdout!});
    return Promise.race([once(lines, 'line').then(() => true), this.#ended.then(() => false)]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Resolves when it does not run. */
  ended(): Promise<void> {
    return this.#ended;
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#ended;
  }
}
