import {once} from 'node:events';
import {loadConfig, printableConfig} from '../lib/config/index.js';
import {PaynetServer} from '../lib/server.js';
import {loadServerCredentials} from '../lib/tls/index.js';
import {configSource} from './config-source.js';
import {onInterrupt} from './signals.js';

export interface ServeOptions {
  config?: string | undefined;
  set?: readonly string[] | undefined;
  check: boolean;
  /** A line for a person. */
  print(line: string): void;
  /** A line for a program. */
  record(value: object): void;
}

/** What `paynetctl serve` does, from the configuration to the end of the server. Resolves with the result of a check. */
export async function serve({check, print, record, ...named}: ServeOptions): Promise<unknown> {
  const config = await loadConfig({...configSource(named), need: 'server'});
  if (check) {
    const {certificates} = await loadServerCredentials(config.server.tls);
    print(`The configuration is good: ${certificates.length} certificates read, the key fits.`);
    return {ok: true, config: printableConfig(config)};
  }
  const server = new PaynetServer(config);
  const interruption = onInterrupt(() => void server.reload());
  // What was not stored must not be promised: the process ends, and whoever starts it again finds what was.
  const broken = once(server, 'broken');
  try {
    await server.start();
    record({event: 'listening', address: server.address, api: server.apiAddress, observe: server.observeAddress});
    const fault = await Promise.race([interruption.interrupted, broken]);
    await server.stop();
    if (fault !== undefined) throw fault[0];
  } finally {
    interruption.release();
  }
  return undefined;
}
