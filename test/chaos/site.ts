import {mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {type CreatedKey, makeApiKey} from '../../src/lib/api/index.js';
import {type Client, createClient} from '../../src/lib/client/index.js';
import {createAuthority, issueCertificate, openAuthority} from '../../src/lib/tls/index.js';
import type {BoxOptions} from './box.js';
import {freePort} from './ports.js';
import {ServerProcess} from './server-process.js';
import {Sink} from './sink.js';

const SECRET = 'the-secret-of-the-webhook';

/** A server in a process of its own, with everything it needs on disk, and the merchant's side of it. */
export interface ChaosSite {
  readonly folder: string;
  /** Ledgers and counters of the boxes. */
  readonly boxFolder: string;
  readonly storePath: string;
  readonly server: ServerProcess;
  readonly sink: Sink;
  /** The merchant's way in; the same after each restart. */
  readonly api: Client;
  /** A box's certificate, and the rest of what it needs. */
  boxOptions(deviceId: string, coinMs?: number): Promise<BoxOptions>;
  /** `keep`: the folder stays. */
  close(keep?: boolean): Promise<void>;
}

export interface ChaosSiteOptions {
  /** In place of the site's own folder. */
  storeFolder?: string;
  env?: NodeJS.ProcessEnv;
  wrapper?: readonly string[];
  /** Further keys of the file, section by section. */
  config?: Readonly<Record<string, object>>;
}

/** Makes a site; its server is not started yet. Ports are chosen once. */
export async function openChaosSite(options: ChaosSiteOptions = {}): Promise<ChaosSite> {
  const {env, wrapper} = options;
  const folder = await mkdtemp(join(tmpdir(), 'paynet-chaos-'));
  const boxFolder = join(folder, 'boxes');
  await mkdir(boxFolder);
  const storePath = join(options.storeFolder ?? folder, 'paynet.db');
  await createAuthority(folder);
  const authority = await openAuthority(folder);
  const own = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  const [linkPort, apiPort, sinkPort] = [await freePort(), await freePort(), await freePort()];
  const sink = new Sink(sinkPort, SECRET);
  await sink.be('ok');
  const files = {cert: join(folder, 'server.crt'), key: join(folder, 'server.key')};
  await writeFile(files.cert, own.certificatePem);
  await writeFile(files.key, own.privateKeyPem, {mode: 0o600});
  const caFile = join(folder, 'ca.crt');
  const config: Record<string, object> = {
    server: {addr: `127.0.0.1:${linkPort}`, drain_timeout: '200ms', tls: {...files, client_ca: caFile}},
    observe: {addr: 'off', log_level: 'info', log_format: 'json'},
    store: {path: storePath},
    api: {addr: `127.0.0.1:${apiPort}`, master_key: join(folder, 'master.key')},
    events: {url: sink.url, secret: SECRET, allow_private: true, allow_http: true, fast_retries: 20},
  };
  for (const [section, keys] of Object.entries(options.config ?? {})) config[section] = {...config[section], ...keys};
  const configFile = join(folder, 'config.yaml');
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(config));
  const {key, hmacSecret}: CreatedKey = await makeApiKey({file: configFile, env: {}}, {name: 'chaos', scope: 'admin'});
  const server = new ServerProcess({
    configFile,
    logFile: join(folder, 'server.log'),
    ...(env !== undefined && {env}),
    ...(wrapper !== undefined && {wrapper}),
  });
  return {
    folder,
    boxFolder,
    storePath,
    server,
    sink,
    api: createClient({server: `http://127.0.0.1:${apiPort}`, key, hmacSecret, timeoutMs: 15_000}),
    async boxOptions(deviceId, coinMs = 5) {
      const {certificatePem, privateKeyPem} = await issueCertificate(authority, {cn: deviceId, usage: 'device'});
      const addr = `127.0.0.1:${linkPort}`;
      return {deviceId, folder: boxFolder, addr, ca: caFile, cert: certificatePem, key: privateKeyPem, coinMs};
    },
    async close(keep = false) {
      await server.kill();
      await sink.close();
      if (!keep) await rm(folder, {recursive: true, force: true});
    },
  };
}
