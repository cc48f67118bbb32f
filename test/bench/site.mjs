// What every measurement needs: a folder with certificates, servers and load generators, and progress on stderr.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createAuthority, issueCertificate, openAuthority} from '../../dist/lib/tls/index.js';
import {startChild, stopChildren} from './children.mjs';
import {certificateFiles} from './devices.mjs';

const SERVER_CPU = 0;
const LOAD_CPU = 1;
const ISSUERS = 2;

/** What differs from the product's defaults, and why: each would stop a load or end an idle device. */
export const SETTINGS = {
  heartbeat_expect: '1h',
  limits: {accept_rate: 1_000_000, accept_burst: 1_000_000, messages_per_second: 0},
};

export async function openSite(log) {
  const dir = mkdtempSync(join(tmpdir(), 'paynet-bench-'));
  const close = () => {
    stopChildren();
    rmSync(dir, {recursive: true, force: true});
  };
  const caDir = join(dir, 'ca');
  const caFile = join(caDir, 'ca.crt');
  await createAuthority(caDir);
  const own = await issueCertificate(await openAuthority(caDir), {cn: 'localhost', usage: 'server'});
  writeFileSync(join(dir, 'server.crt'), own.certificatePem);
  writeFileSync(join(dir, 'server.key'), own.privateKeyPem, {mode: 0o600});
  const tls = {cert: join(dir, 'server.crt'), key: join(dir, 'server.key'), client_ca: caFile};
  const issued = new Set();

  return {
    dir,
    close,
    log,
    /** Makes certificates for at least so many devices. */
    async issue(count) {
      const wanted = certificateFiles(dir, count).filter(({file}) => !issued.has(file));
      if (wanted.length === 0) return;
      log(`issuing ${count} device certificates`);
      await Promise.all(
        Array.from({length: Math.min(ISSUERS, wanted.length)}, async () => {
          const issuer = await startChild('issue.mjs', {dir, name: 'issuer'});
          for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
            await issuer.ask('issue', {...next, caDir});
            issued.add(next.file);
          }
          await issuer.stop();
        }),
      );
    },
    /** `server` is `bare` or `product`. */
    async startServer(server, {env = {}, settings = SETTINGS, observe = 'off'} = {}) {
      const tlsOptions = {...tls, mutual_auth: true, min_version: '1.3', session_tickets: true};
      const argument =
        server === 'bare'
          ? {tls: tlsOptions}
          : {server: {addr: '127.0.0.1:0', tls: tlsOptions, ...settings}, observe: {addr: observe}};
      const child = await startChild(`server-${server}.mjs`, {cpu: SERVER_CPU, argument, env, dir, name: server});
      return {...child, server, ...(await child.ask('address'))};
    },
    startLoad: (cpu = LOAD_CPU) => startChild('load.mjs', {cpu, argument: {dir, caFile}, dir, name: 'load'}),
  };
}

/** Both servers and one load generator for `work`, ended afterwards. */
export async function withBoth(site, work, options) {
  const children = await Promise.all([
    site.startServer('bare', options),
    site.startServer('product', options),
    site.startLoad(),
  ]);
  const [bare, product, load] = children;
  try {
    return await work({bare, product, load});
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

/** CPU microseconds that the server spends while `work` is done, and what the work resolves with. */
export async function cpuOf(server, work) {
  const before = await server.ask('cpu');
  const result = await work();
  return {...result, cpu: (await server.ask('cpu')) - before};
}
