// Runs the measurements one after another, prints the table and writes the file.
import {execFileSync} from 'node:child_process';
import {mkdirSync, writeFileSync} from 'node:fs';
import {availableParallelism, cpus, release} from 'node:os';
import {join} from 'node:path';
import {jemalloc, MALLOC_CONF, pinned} from './children.mjs';
import {growth} from './measures/growth.mjs';
import {handshakes} from './measures/handshakes.mjs';
import {heartbeats} from './measures/heartbeats.mjs';
import {latency} from './measures/latency.mjs';
import {memory} from './measures/memory.mjs';
import {records, turns} from './measures/messages.mjs';
import {million} from './measures/million.mjs';
import {orders} from './measures/orders.mjs';
import {peers} from './measures/peers.mjs';
import {reads} from './measures/reads.mjs';
import {storm} from './measures/storm.mjs';
import {summarise, table} from './report.mjs';
import {ORDER_SETTINGS, openSite, SETTINGS} from './site.mjs';

const ROUNDS = 3;
/** Descriptors that a process needs beside its connections. */
const OTHER_DESCRIPTORS = 200;

/** Resolves with the exit code. `root` is the project's folder. */
export async function bench({full, json, rounds, measures, profile}, root) {
  const began = Date.now();
  const log = (text) => process.stderr.write(`${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s  ${text}\n`);
  const limit = descriptorLimit() - OTHER_DESCRIPTORS;
  const within = (wanted) => {
    if (wanted <= limit) return wanted;
    log(`the limit of open files allows ${limit} devices instead of ${wanted} (ulimit -n)`);
    return limit;
  };
  const site = await openSite(log);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => {
      site.close();
      process.exit(signal === 'SIGINT' ? 130 : 143);
    });
  }
  const work = {
    turns: () => turns(site, {rounds: rounds ?? ROUNDS, devices: Math.min(within(1000), Math.floor(limit / 2))}),
    records: () => records(site, {rounds: rounds ?? ROUNDS}),
    handshakes: () => handshakes(site, {rounds: rounds ?? ROUNDS}),
    memory: () => memory(site, {rounds: rounds ?? 1, devices: within(full ? 8000 : 2000)}),
    growth: () => growth(site, {sizes: full ? [1000, 5000, within(15_000)] : [1000, within(4000)]}),
    orders: () => orders(site, {rounds: rounds ?? 1, devices: within(1000), inFlight: 256, profile}),
    latency: () => latency(site, {orders: 500}),
    reads: () => reads(site, {rounds: rounds ?? 1}),
    heartbeats: () => heartbeats(site, {devices: within(1000)}),
    million: () => million(site, {few: 10_000, many: 1_000_000}),
    peers: () => peers(site, {devices: within(200)}),
    storm: () => storm(site, {devices: within(15_000)}),
  };
  const rows = [];
  const faults = [];
  try {
    for (const name of measures) {
      try {
        rows.push(...(await work[name]()).map((row) => ({measure: name, ...summarise(row)})));
      } catch (error) {
        faults.push({measure: name, error: error instanceof Error ? error.message : String(error)});
        log(`${name} could not be measured: ${faults.at(-1).error}`);
      }
    }
  } finally {
    site.close();
  }
  const result = {
    at: new Date(began).toISOString(),
    seconds: (Date.now() - began) / 1000,
    node: process.version,
    openssl: process.versions.openssl,
    kernel: release(),
    cpu: {model: cpus()[0]?.model ?? '', count: availableParallelism()},
    pinned,
    jemalloc: jemalloc === undefined ? null : {file: jemalloc, MALLOC_CONF},
    settings: SETTINGS,
    orderSettings: ORDER_SETTINGS,
    rows,
    faults,
  };
  const folder = join(root, 'bench-results');
  mkdirSync(folder, {recursive: true});
  const file = join(folder, `${result.at.replaceAll(/[:.]/g, '-')}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${text(result)}\n`);
  log(`written to ${file}`);
  return faults.length === 0 ? 0 : 1;
}

function text({node, openssl, cpu, settings, rows}) {
  const {limits, ...other} = settings;
  const changed = Object.entries({...other, ...limits}).map(([key, value]) => `${key} ${value}`);
  return [
    table(rows),
    '',
    `Node ${node}, OpenSSL ${openssl}, ${cpu.count} × ${cpu.model}; server ${pinned ? 'tied to CPU 0, load to CPU 1' : 'not tied to a CPU'}.`,
    `The product's defaults but: ${changed.join(', ')} (the storm: heartbeat_expect only); for orders also api.rate 1000000 and session.timeout_override.paynet 1h.`,
    "Rates are per second of the server process's own CPU time. Ratios are taken segment by segment, product against bare.",
  ].join('\n');
}

function descriptorLimit() {
  try {
    const value = execFileSync('sh', ['-c', 'ulimit -n'], {encoding: 'utf8'}).trim();
    return value === 'unlimited' ? 1_000_000 : Number(value);
  } catch {
    return 1024;
  }
}
