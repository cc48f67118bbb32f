// Memory of an idle device on the server: fresh, and after everybody has reconnected three times.

import {setTimeout as wait} from 'node:timers/promises';
import {jemalloc, MALLOC_CONF} from '../children.mjs';

const RECONNECTS = 3;
/** Opened and closed before the first reading: what code and pools need once. */
const WARM_UP = 200;
const KIB = 1024;

export async function memory(site, {rounds, devices}) {
  await site.issue(devices);
  const allocators = [{name: 'default malloc', env: {}}];
  if (jemalloc === undefined) site.log('jemalloc is not installed (Debian: libjemalloc2): measured without');
  else allocators.push({name: 'jemalloc', env: {LD_PRELOAD: jemalloc, MALLOC_CONF}});
  const rows = [];
  for (const {name, env} of allocators) {
    const kinds = ['fresh', `after ${RECONNECTS} reconnects`].map((when) => ({
      label: `idle device, ${name}, ${when}`,
      unit: 'KiB per device (PSS)',
      bare: [],
      product: [],
      heap: {bare: [], product: []},
      rss: {bare: [], product: []},
      differenceAtMost: 4,
    }));
    for (let round = 1; round <= rounds; round++) {
      for (const server of ['bare', 'product']) {
        const readings = await oneServer(site, server, env, devices);
        for (const [at, {pss, heap, rss}] of readings.entries()) {
          kinds[at][server].push(pss);
          kinds[at].heap[server].push(heap);
          kinds[at].rss[server].push(rss);
        }
        const said = readings.map(({pss, heap}) => `${pss.toFixed(1)} (JS heap ${heap.toFixed(2)})`).join(', then ');
        site.log(`memory, ${name}, ${server}: round ${round}/${rounds}: ${said} KiB per device`);
      }
    }
    rows.push(...kinds);
  }
  return rows;
}

async function oneServer(site, server, env, devices) {
  const child = await site.startServer(server, {env});
  const load = await site.startLoad();
  const open = (count) => load.ask('openDevices', {server, port: child.port, from: 0, count});
  const close = async () => {
    await load.ask('closeDevices', {server});
    while ((await child.ask('connections')) > 0) await wait(20);
  };
  try {
    await open(Math.min(WARM_UP, devices));
    await close();
    const base = await child.ask('memory');
    const perDevice = async () => {
      const now = await child.ask('memory');
      const of = (key) => (now[key] - base[key]) / KIB / devices;
      return {pss: of(now.pss === undefined ? 'rss' : 'pss'), rss: of('rss'), heap: of('heapUsed')};
    };
    await open(devices);
    const fresh = await perDevice();
    for (let reconnect = 0; reconnect < RECONNECTS; reconnect++) {
      await close();
      await open(devices);
    }
    return [fresh, await perDevice()];
  } finally {
    await Promise.all([child.stop(), load.stop()]);
  }
}
