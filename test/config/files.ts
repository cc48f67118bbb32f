import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll} from 'vitest';
import {loadConfig, type Need} from '../../src/lib/config/index.js';

/** The two files of the field, which must work as they are. */
export const SERVER_FILE = `server:
  addr: ":443"
  max_frame: 65535
  heartbeat_expect: 70s
  tls:
    cert: /etc/paynet/server.crt
    key: /etc/paynet/server.key
    client_ca: /etc/paynet/ca.crt
    mutual_auth: true
dispatcher:
  workers: 32
  queue: 2048
idempotency:
  backend: redis
  dsn: redis://user:pass@host:6379/0
`;
export const CLIENT_FILE = `client:
  addr: "paynet.example.com:443"
  tls:
    ca: /opt/paynet/ca.crt
    cert: /opt/paynet/device.crt
    key: /opt/paynet/device.key
  reconnect:
    base: 1s
    max: 64s
  heartbeat_send: 60s
`;

export interface Loading {
  need?: Need;
  env?: NodeJS.ProcessEnv;
  set?: string[];
}

/** A folder of the test file's own, and what is needed to read configurations in it. */
export function configFolder() {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'paynet-config-'));
  });
  afterAll(() => rm(folder, {recursive: true, force: true}));

  async function load(text: string, {need = 'server', env = {}, set}: Loading = {}) {
    const file = join(folder, 'config.yaml');
    await writeFile(file, text);
    return loadConfig({file, need, env, set});
  }

  /** What is wrong with a text: the error's lines, with the file's name without its folder. */
  async function problems(text: string, loading?: Loading): Promise<string[]> {
    const error = await load(text, loading).then(
      () => {
        throw new Error('it was accepted');
      },
      (reason: Error & {code?: string; exitCode?: number}) => reason,
    );
    if (error.code !== 'CONFIG_INVALID' || error.exitCode !== 2) throw error;
    return error.message.replaceAll(`${folder}/`, '').split('\n');
  }

  return {path: (name: string) => join(folder, name), load, problems};
}
