import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import type {ConfigInput} from '../../src/lib/config/index.js';
import {type ClientExtras, PaynetClient} from '../../src/lib/device/index.js';
import type {Log} from '../../src/lib/observe/index.js';
import {PaynetServer, type ServerExtras} from '../../src/lib/server.js';
import {
  type Authority,
  createAuthority,
  type IssuedCertificate,
  issueCertificate,
  openAuthority,
} from '../../src/lib/tls/index.js';

export const quiet: Log = {debug() {}, info() {}, warn() {}, error() {}, child: () => quiet};

/** A CA, a server and devices of their own for a test, all on loopback and in a folder that is removed at the end. */
export interface Site {
  dir: string;
  caFile: string;
  authority: Authority;
  server: PaynetServer;
  serverTls: {cert: string; key: string; client_ca: string};
  issue(cn: string): Promise<IssuedCertificate>;
  /** A client with a certificate of its own, not started yet. */
  client(cn: string, more?: {client?: object; config?: object; extras?: ClientExtras}): Promise<PaynetClient>;
  /** Resolves with the next event of this kind. */
  next<K extends DeviceEventKind>(kind: K): Promise<DeviceEventOf<K>>;
  close(): Promise<void>;
}

type DeviceEventKind = import('../../src/lib/link/index.js').DeviceEvent['kind'];
type DeviceEventOf<K extends DeviceEventKind> = Extract<import('../../src/lib/link/index.js').DeviceEvent, {kind: K}>;

export interface SiteOptions {
  server?: object;
  /** What depends on the authority (a revocation list) is made by a function. */
  tls?: object | ((made: {dir: string; authority: Authority}) => Promise<object>);
  config?: object;
  extras?: ServerExtras;
}

/** Starts a server on a free port. */
export async function openSite(options: SiteOptions = {}): Promise<Site> {
  const dir = await mkdtemp(join(tmpdir(), 'paynet-site-'));
  const authority = await createAuthority(dir).then(() => openAuthority(dir));
  const caFile = join(dir, 'ca.crt');
  const own = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  const serverTls = {cert: own.certificatePem, key: own.privateKeyPem, client_ca: caFile};
  const moreTls = typeof options.tls === 'function' ? await options.tls({dir, authority}) : options.tls;
  const config = {
    server: {addr: '127.0.0.1:0', drain_timeout: '50ms', tls: {...serverTls, ...moreTls}, ...options.server},
    ...options.config,
  } as ConfigInput;
  const server = new PaynetServer(config, {log: quiet, ...options.extras});
  await server.start();
  const clients: PaynetClient[] = [];
  const issue = (cn: string): Promise<IssuedCertificate> => issueCertificate(authority, {cn, usage: 'device'});
  return {
    dir,
    caFile,
    authority,
    server,
    serverTls,
    issue,
    async client(cn, more = {}) {
      const {certificatePem, privateKeyPem} = await issue(cn);
      const client = new PaynetClient(
        {
          client: {
            addr: `127.0.0.1:${server.address.port}`,
            tls: {ca: caFile, cert: certificatePem, key: privateKeyPem},
            reconnect: {base: '20ms', max: '200ms'},
            ...more.client,
          },
          ...more.config,
        } as ConfigInput,
        more.extras,
      );
      clients.push(client);
      return client;
    },
    async next(kind) {
      for (;;) {
        const [event] = await once(server, 'device');
        if (event.kind === kind) return event;
      }
    },
    async close() {
      await Promise.all(clients.map((client) => client.stop()));
      await server.stop();
      await rm(dir, {recursive: true, force: true});
    },
  };
}
