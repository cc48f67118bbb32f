import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {onTestFinished} from 'vitest';

/** A port of the loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** A Redis of a test's own, on a port that stays the same when it is started again; it goes with the test. */
export class RedisServer {
  readonly port: number;
  readonly password: string | undefined;
  #process: ChildProcess | undefined;

  constructor(port: number, password?: string) {
    this.port = port;
    this.password = password;
    onTestFinished(() => this.kill());
  }

  get dsn(): string {
    const user = this.password === undefined ? '' : `default:${this.password}@`;
    return `redis://${user}127.0.0.1:${this.port}/0`;
  }

  async start(): Promise<this> {
    const dir = await mkdtemp(join(tmpdir(), 'paynet-redis-'));
    onTestFinished(() => rm(dir, {recursive: true, force: true}));
    // The configuration comes by standard input: a password is nobody else's business.
    const child = spawn('redis-server', ['-'], {stdio: ['pipe', 'pipe', 'inherit']});
    this.#process = child;
    const lines = [`port ${this.port}`, 'bind 127.0.0.1', `dir ${dir}`, 'save ""', 'appendonly no'];
    if (this.password !== undefined) lines.push(`requirepass ${this.password}`);
    child.stdin.end(`${lines.join('\n')}\n`);
    for await (const line of createInterface({input: child.stdout})) {
      if (line.includes('Ready to accept connections')) break;
    }
    child.stdout.resume();
    return this;
  }

  /** SIGSTOP: it hangs, and its port still accepts. */
  stop(): void {
    this.#process?.kill('SIGSTOP');
  }

  /** SIGCONT. */
  go(): void {
    this.#process?.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
