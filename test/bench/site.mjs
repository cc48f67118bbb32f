// What every measurement needs: a folder with certificates, servers and load generators, and progress on stderr.
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createAuthority, issueCertificate, openAuthority} from '../../dist/lib/tls/index.js';
import {startChild, stopChildren} from './children.mjs';
import {certificateFiles} from './devices.mjs';
import {HttpConnection, headersOf} from './http-client.mjs';

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
  const tlsOptions = {...tls, mutual_auth: true, min_version: '1.3', session_tickets: true};
  const issued = new Set();
  let databases = 0;

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
      const argument =
        server === 'bare'
          ? {tls: tlsOptions}
          : {server: {addr: '127.0.0.1:0', tls: tlsOptions, ...settings}, observe: {addr: observe}};
      const child = await startChild(`server-${server}.mjs`, {cpu: SERVER_CPU, argument, env, dir, name: server});
      return {...child, server, ...(await child.ask('address'))};
    },
    startLoad: (cpu = LOAD_CPU, script = 'load.mjs') =>
      startChild(script, {cpu, argument: {dir, caFile}, dir, name: 'load'}),
    /** A child of one measurement, on the servers' CPU unless `cpu` says another. */
    start: (script, argument = {}, cpu = SERVER_CPU) => startChild(script, {cpu, argument, dir, name: script}),
    startReceiver: () => startChild('webhook-receiver.mjs', {cpu: LOAD_CPU, dir, name: 'webhook'}),
    /** Beside the other files of the bench: all databases are on one disk. */
    newDatabase: () => join(dir, `${++databases}.db`),
    tls: tlsOptions,
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

/** What differs from the product's defaults for orders, and why: each would stop the load. */
export const ORDER_SETTINGS = {api: {rate: 1_000_000}, session: {timeout_override: {paynet: '1h'}}};
const WEBHOOK_SECRET = 'bench-bench-bench-bench';

/** The product with its database and HTTP interface. */
export async function startProduct(site, {config = {}, path = site.newDatabase()} = {}) {
  const child = await site.start('server-orders.mjs', {
    ...config,
    server: {addr: '127.0.0.1:0', tls: site.tls, ...SETTINGS},
    observe: {addr: 'off'},
    store: {path},
    session: ORDER_SETTINGS.session,
    api: {...ORDER_SETTINGS.api, addr: '127.0.0.1:0', ...config.api},
  });
  const address = await child.ask('address');
  return {...child, ...address, server: 'product', stats: () => stats(address)};
}

/** Product and reference for orders with their boxes, and the webhook's receiver, for `work`; ended afterwards. */
export async function withOrders(site, {devices, sockets, webhook = false, config}, work) {
  const children = [];
  const started = async (child) => {
    children.push(await child);
    return children.at(-1);
  };
  try {
    const load = await started(site.startLoad(LOAD_CPU, 'load-orders.mjs'));
    const bare = await started(site.start('server-orders-bare.mjs', {tls: site.tls, path: site.newDatabase()}));
    Object.assign(bare, {server: 'bare', ...(await bare.ask('address'))});
    const events = webhook ? {events: await webhookOf(await started(site.startReceiver()))} : {};
    const product = await started(startProduct(site, {config: {...config, ...events}}));
    for (const {server, port, http, ask} of [bare, product]) {
      await ask('tellTo', await load.ask('toldAt'));
      await load.ask('open', {server, port, http, count: devices, sockets});
    }
    return await work({bare, product, load});
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

async function webhookOf(receiver) {
  const {url} = await receiver.ask('address');
  return {url, secret: WEBHOOK_SECRET, allow_private: true, allow_http: true};
}

/** The figures that the HTTP interface gives. */
async function stats({http, credentials}) {
  const connection = await HttpConnection.open(http);
  const path = '/api/v1/stats';
  const {status, body} = await connection.request('GET', path, headersOf(credentials, 'GET', path));
  connection.close();
  if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body}`);
  return JSON.parse(body).data;
}
