import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {onTestFinished} from 'vitest';
import {codeOf} from '../../src/lib/errors.js';
import type {Site} from '../e2e/site.js';

/** A payment box in its own process, with a ledger and a record of its coins that outlive it. */
export class Box {
  readonly coinsFile: string;
  readonly #site: Site;
  readonly #folder: string;
  readonly #addr: string;
  #process: ChildProcess | undefined;
  #words: AsyncIterator<string> | undefined;

  constructor(site: Site, folder: string, addr = `127.0.0.1:${site.server.address.port}`) {
    this.#site = site;
    this.#folder = folder;
    this.#addr = addr;
    this.coinsFile = join(folder, 'coins');
    onTestFinished(() => this.kill());
  }

  /** Starts the process; resolves when it is online. */
  async start(): Promise<void> {
    const {certificatePem, privateKeyPem} = await this.#site.issue('device001');
    const config = {
      client: {
        addr: this.#addr,
        tls: {ca: this.#site.caFile, cert: certificatePem, key: privateKeyPem},
        reconnect: {base: '20ms', max: '100ms'},
      },
    };
    const options = JSON.stringify({config, ledger: join(this.#folder, 'ledger'), coins: this.coinsFile});
    const script = join(import.meta.dirname, 'box-child.ts');
    const child = spawn(process.execPath, ['--import', 'tsx', script, options], {stdio: ['pipe', 'pipe', 'inherit']});
    this.#process = child;
    this.#words = createInterface({input: child.stdout})[Symbol.asyncIterator]();
    await this.said('online');
  }

  /** Lets one coin drop. */
  async drop(): Promise<void> {
    this.#process?.stdin?.write('\n');
    await this.said('coin');
  }

  async said(word: string): Promise<void> {
    for (;;) {
      const {value, done} = (await this.#words?.next()) ?? {done: true, value: ''};
      if (done) throw new Error(`the box ended before it said ${word}`);
      if (value.startsWith(word)) return;
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** Every coin that has dropped, over all lives of the box: `order coin`. */
  async coins(): Promise<string[]> {
    try {
      return (await readFile(this.coinsFile, 'utf8')).split('\n').slice(0, -1);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }
}
