import {randomBytes} from 'node:crypto';
import {readFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {join} from 'node:path';
import type {ConfigInput} from '../config/index.js';
import type {PaynetServer} from '../server.js';
import {exists, makeFolder, provisionCertificate, readPrivateFile, writeFileAtomic} from '../tls/index.js';

export interface QuickstartFiles {
  serverConfig: string;
  deviceConfig: string;
  ca: string;
  /** The key of the HTTP interface, as `apikey create --json` writes it. */
  apiKey: string;
}

export interface Ports {
  link: number;
  observe: number;
  api: number;
  webhook: number;
}

export interface Prepared {
  files: QuickstartFiles;
  ports: Ports;
  /** Of the webhooks. */
  secret: string;
}

export interface Key {
  key: string;
  hmac_secret: string;
}

/** Where a quickstart listens if it can, so that the files it leaves fit the next run. */
const PREFERRED: Ports = {link: 7443, observe: 9090, api: 7055, webhook: 9000};

/** Makes what is missing in the folder: authority, certificates, configurations, the secret of the webhooks. */
export async function prepare(dir: string, names: readonly string[]): Promise<Prepared> {
  const ports = {
    link: await freePort(PREFERRED.link),
    observe: await freePort(PREFERRED.observe),
    api: await freePort(PREFERRED.api),
    webhook: await freePort(PREFERRED.webhook),
  };
  await makeFolder(dir, 'public');
  if (!(await exists(join(dir, 'localhost.crt')))) {
    await provisionCertificate({cn: 'localhost', usage: 'server', outDir: dir, sans: ['127.0.0.1', '::1']});
  }
  for (const cn of names) {
    if (!(await exists(join(dir, `${cn}.crt`)))) await provisionCertificate({cn, usage: 'device', outDir: dir});
  }
  const secret = await webhookSecret(join(dir, 'webhook.secret'));
  const first = names[0] ?? '';
  const files = {
    serverConfig: join(dir, 'config.yaml'),
    deviceConfig: join(dir, `${first}.yaml`),
    ca: join(dir, 'ca.crt'),
    apiKey: join(dir, 'api-key.json'),
  };
  await writeFileAtomic(files.serverConfig, serverYaml(ports, secret), {mode: 0o600, overwrite: true});
  await writeFileAtomic(files.deviceConfig, deviceYaml(first, ports), {mode: 0o644, overwrite: true});
  return {files, ports, secret};
}

/** A key for the HTTP interface: that of the last run while it is good, or a new one. */
export async function apiKeyOf(server: PaynetServer, file: string): Promise<Key> {
  if (await exists(file)) {
    const known = JSON.parse(await readPrivateFile(file)) as Key;
    if ((await server.apiKeys.find(known.key)) !== undefined) return known;
  }
  const {id, name, scope, key, hmacSecret} = await server.apiKeys.create({name: 'quickstart', scope: 'admin'});
  const made = {id, name, scope, key, hmac_secret: hmacSecret};
  await writeFileAtomic(file, `${JSON.stringify(made, undefined, 2)}\n`, {mode: 0o600, overwrite: true});
  return made;
}

/** The configuration of the server, as the file has it, with paths that do not depend on where the process runs. */
export function serverConfig(dir: string, {link, observe, api, webhook}: Ports, secret: string): ConfigInput {
  return {
    server: {
      addr: `127.0.0.1:${link}`,
      drain_timeout: '1s',
      tls: {cert: join(dir, 'localhost.crt'), key: join(dir, 'localhost.key'), client_ca: join(dir, 'ca.crt')},
    },
    store: {path: join(dir, 'paynet.db')},
    api: {addr: `127.0.0.1:${api}`, master_key: join(dir, 'paynet.key')},
    events: {url: `http://127.0.0.1:${webhook}/webhook`, secret, allow_private: true, allow_http: true},
    observe: {addr: `127.0.0.1:${observe}`},
  };
}

export function deviceConfig(dir: string, name: string, port: number, heartbeatMs: number): ConfigInput {
  return {
    client: {
      addr: `127.0.0.1:${port}`,
      tls: {ca: join(dir, 'ca.crt'), cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`)},
      heartbeat_send: heartbeatMs,
    },
  };
}

async function webhookSecret(file: string): Promise<string> {
  if (!(await exists(file))) {
    await writeFileAtomic(file, `whsec_${randomBytes(32).toString('base64')}\n`, {mode: 0o600, overwrite: false});
  }
  return (await readFile(file, 'utf8')).trim();
}

const WRITTEN_BY = '# Written by `paynetctl quickstart` at every start: copy it before you change it.\n';

function serverYaml({link, observe, api, webhook}: Ports, secret: string): string {
  return `${WRITTEN_BY}server:
  addr: "127.0.0.1:${link}"
  max_frame: 65535
  heartbeat_expect: 70s
  tls:
    cert: localhost.crt
    key: localhost.key
    client_ca: ca.crt
    mutual_auth: true
store:
  path: paynet.db
api:
  addr: "127.0.0.1:${api}"
  master_key: paynet.key
events:
  url: http://127.0.0.1:${webhook}/webhook
  secret: ${secret}
  allow_private: true
  allow_http: true
observe:
  addr: "127.0.0.1:${observe}"
`;
}

function deviceYaml(name: string, {link}: Ports): string {
  return `${WRITTEN_BY}client:
  addr: "127.0.0.1:${link}"
  tls:
    ca: ca.crt
    cert: ${name}.crt
    key: ${name}.key
  reconnect:
    base: 1s
    max: 64s
  heartbeat_send: 60s
`;
}

/** `wanted` when it is free on loopback, else a port that is. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
