import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {type Api, type ApiKeys, createApiKeys, openMasterKey, startApi} from '../api/index.js';
import type {Config} from '../config/index.js';
import type {Gateway} from '../link/index.js';
import type {Log} from '../observe/index.js';
import type {Business} from './business.js';
import type {Changes} from './changes.js';
import {devicesPort} from './ports/devices.js';
import {eventsPort} from './ports/events.js';
import {ordersPort} from './ports/orders.js';
import {queuePort} from './ports/queue.js';
import {readStats} from './ports/stats.js';
import type {Storage} from './storage.js';

/**
 * The API keys of a server. Their master key lies beside a temporary database, too, and goes with it.
 * @throws PaynetError when there are keys that the master key does not fit: a new one would shut everybody out
 */
async function openKeys({api, store: {path}}: Config, storage: Storage): Promise<ApiKeys> {
  const file = api.master_key ?? (path === undefined ? undefined : `${path}.key`);
  const masterKey = await openMasterKey(file ?? join(storage.temporary ?? '.', 'paynet.key'));
  const keys = createApiKeys({store: storage.store, masterKey});
  await keys.check();
  return keys;
}

export interface HttpOptions {
  config: Config;
  storage: Storage;
  business: Business;
  gateway: Gateway;
  changes: Changes;
  log: Log;
}

/** Starts the HTTP interface over the parts of a server; undefined when it is off. */
export async function startHttp(options: HttpOptions): Promise<{keys: ApiKeys; api: Api} | undefined> {
  const {config, storage, business, gateway, changes, log} = options;
  const {addr, require_hmac: requireHmac, trust_proxy: trustProxy, rate, rate_per_key: perKey} = config.api;
  if (addr === 'off') return undefined;
  const {store} = storage;
  const now = Date.now;
  const keepSeconds = Math.ceil(config.orders.keep / 1000);
  const wake = (): void => business.sender?.wake();
  const keys = await openKeys(config, storage);
  const api = await startApi({
    addr,
    store,
    log,
    version: await programVersion(),
    requireHmac,
    ...(trustProxy !== undefined && {trustProxy}),
    limits: {
      total: {perSecond: rate, burst: rate},
      ...(perKey !== undefined && {perKey: {perSecond: perKey, burst: perKey}}),
    },
    keys,
    ports: {
      orders: ordersPort({store, business, keepSeconds, now}),
      devices: devicesPort({store, gateway, business}),
      events: eventsPort({store, wake, now}),
      queue: queuePort({store, dispatcher: () => business.charging.dispatcher}),
      stats: () => readStats({store, business}),
      subscribe: changes.subscribe,
    },
  });
  log.info({address: api.address}, 'the HTTP interface is listening');
  return {keys, api};
}

async function programVersion(): Promise<string> {
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(await readFile(file, 'utf8')) as {version: string}).version;
}
