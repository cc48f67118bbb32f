import {readFile} from 'node:fs/promises';
import type {ConnectionOptions} from 'node:tls';
import {expect, onTestFinished, vi} from 'vitest';
import {type ConfigInput, parseConfig} from '../../src/lib/config/index.js';
import type {ProtocolAdapter} from '../../src/lib/link/adapter.js';
import {type DeviceEvent, defaultHooks, Gateway} from '../../src/lib/link/index.js';
import {createLinkCounters, type LinkCounters, type Log} from '../../src/lib/observe/index.js';
import {MessageRegistry} from '../../src/lib/registry/index.js';
import {issueCertificate, loadServerCredentials} from '../../src/lib/tls/index.js';
import {makeCrl, newAuthority, tempFolder} from '../tls/support.js';

export interface BareGateway {
  gateway: Gateway;
  port: number;
  counters: LinkCounters;
  events: DeviceEvent[];
  lines: string[];
  pair(cn: string): Promise<ConnectionOptions>;
  /** Puts a revocation list in force behind OpenSSL's back. */
  revokeUnseen(serial: string): Promise<void>;
  /** Resolves when the server has no connection any more. */
  closedAll(): Promise<void>;
}

export interface BareOptions {
  /** Serials of a revocation list; none at all unless given. */
  crl?: string[];
  adapters?: ProtocolAdapter[];
  server?: object;
}

/** The device link without the server around it. */
export async function openGateway(options: BareOptions = {}): Promise<BareGateway> {
  const folder = await tempFolder();
  const authority = await newAuthority(folder);
  const own = await issueCertificate(authority, {cn: 'localhost', usage: 'server'});
  const crl = options.crl === undefined ? undefined : await makeCrl(folder, authority, options.crl);
  const tls = {
    cert: own.certificatePem,
    key: own.privateKeyPem,
    client_ca: authority.certificatePem,
    ...(crl && {crl}),
  };
  const config = parseConfig({server: {addr: '127.0.0.1:0', tls, ...options.server}} as ConfigInput, 'server');
  const credentials = await loadServerCredentials(config.server.tls);
  const counters = createLinkCounters();
  const events: DeviceEvent[] = [];
  const lines: string[] = [];
  const line = (_: object, message: string): void => void lines.push(message);
  const log: Log = {debug: line, info: line, warn: line, error: line, child: () => log};
  const decisions = defaultHooks({devices: undefined, allowUnverified: false});
  const gateway = new Gateway({
    config,
    credentials,
    registry: new MessageRegistry(),
    hooks: {...decisions, order: () => undefined},
    events: (event) => void events.push(event),
    counters,
    log,
    ...(options.adapters && {adapters: options.adapters}),
  });
  await gateway.listen();
  onTestFinished(() => gateway.close(1));
  return {
    gateway,
    port: gateway.address.port,
    counters,
    events,
    lines,
    async pair(cn) {
      const {certificatePem, privateKeyPem} = await issueCertificate(authority, {cn, usage: 'device'});
      return {ca: await readFile(authority.certificateFile, 'utf8'), cert: certificatePem, key: privateKeyPem};
    },
    async revokeUnseen(serial) {
      const newer = await loadServerCredentials({
        ...config.server.tls,
        crl: await makeCrl(folder, authority, [serial]),
      });
      credentials.revocation = newer.revocation;
    },
    closedAll: () => vi.waitFor(() => expect(counters.connections).toBe(0)),
  };
}
