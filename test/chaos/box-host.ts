import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {pathToFileURL} from 'node:url';
import type {BoxOptions} from './box.js';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const PROGRAM = join(import.meta.dirname, 'box-process.ts');

/** A process that holds boxes. It is started again whenever it has died. */
export class BoxHost {
  kills = 0;
  readonly #options: readonly BoxOptions[];
  #child: ChildProcess | undefined;
  #online: Promise<unknown> = Promise.resolve();
  #stopping = false;

  constructor(options: readonly BoxOptions[]) {
    this.#options = options;
  }

  /** Resolves when all its boxes are online. */
  async start(): Promise<void> {
    this.#spawn();
    await this.#online;
  }

  /** Dies at that payment from now on: the coins are out, and nobody is told. */
  dieAtPayment(number: number): void {
    this.#child?.stdin?.write(`${number}\n`);
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  #spawn(): void {
    const child = spawn(process.execPath, ['--import', TSX, PROGRAM, JSON.stringify(this.#options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    // It may die while a line is on its way.
    child.stdin.on('error', () => {});
    this.#online = once(createInterface({input: child.stdout}), 'line');
    this.#online.catch(() => {});
    child.once('exit', () => {
      this.#child = undefined;
      if (this.#stopping) return;
      this.kills += 1;
      this.#spawn();
    });
  }
}
