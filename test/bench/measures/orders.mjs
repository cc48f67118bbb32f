// Durable order round trips: HTTP to the database, to the device, and what it reports back to the database.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {profileText} from '../profile-report.mjs';
import {cpuOf, withOrders} from '../site.mjs';
import {quantile} from '../stats.mjs';

const WARM_UP_MS = 3000;
const SEGMENT_MS = 3000;
const SEGMENTS = 3;
const UNITS = {rate: 'per CPU-second', wall: 'per second', ms: 'ms', count: 'per order', cpu: 'µs per order'};

export async function orders(site, {rounds, devices, inFlight, profile}) {
  await site.issue(devices);
  const rows = [];
  for (const webhook of [false, true]) {
    const name = `orders, ${devices} devices, ${inFlight} in flight${webhook ? ', webhook' : ''}`;
    const row = (label, unit, more) => ({label: `${name}: ${label}`, unit, bare: [], product: [], ...more});
    const table = {
      rate: row('round trips', UNITS.rate, {ratioAtLeast: 0.4}),
      main: row('CPU of the main thread', UNITS.cpu),
      others: row('CPU of the other threads', UNITS.cpu),
      wall: row('round trips', UNITS.wall),
      syncs: row('transactions', UNITS.count),
      operations: row('operations', UNITS.count),
      answer50: row('HTTP answer, p50', UNITS.ms),
      answer99: row('HTTP answer, p99', UNITS.ms),
      done50: row('order to durable DONE, p50', UNITS.ms),
      done99: row('order to durable DONE, p99', UNITS.ms),
      loop50: row('event loop late, p50', UNITS.ms),
      loop99: row('event loop late, p99', UNITS.ms),
      loopMax: row('event loop late, max', UNITS.ms),
      ...(webhook && {pushed: row('events posted', UNITS.wall)}),
    };
    for (let round = 1; round <= rounds; round++) {
      await withOrders(site, {devices, sockets: inFlight, webhook}, async ({bare, product, load}) => {
        for (let segment = 0; segment <= SEGMENTS; segment++) {
          for (const child of [bare, product]) {
            const ms = segment === 0 ? WARM_UP_MS : SEGMENT_MS;
            const profiled = profile !== undefined && child === product && segment === SEGMENTS;
            if (profiled) await child.ask('startProfile');
            const figures = await oneSegment(child, load, ms);
            if (profiled) await keepProfile(site, child, profile, webhook ? 'webhook' : 'orders');
            if (segment === 0 || profiled) continue;
            for (const [key, value] of Object.entries(figures)) table[key]?.[child.server].push(value);
          }
        }
      });
      const say = (server) => Math.round(table.rate[server].at(-1)).toLocaleString('en');
      site.log(`${name}: round ${round}/${rounds}: bare ${say('bare')}, product ${say('product')} per CPU-second`);
    }
    rows.push(...Object.values(table).filter(({product}) => product.length > 0));
  }
  return rows;
}

async function oneSegment(child, load, ms) {
  const {server, credentials} = child;
  const before = await child.stats?.();
  await child.ask('late');
  const mainBefore = await child.ask('mainThread');
  const result = await cpuOf(child, () => load.ask('orders', {server, credentials, ms}));
  const main = (await child.ask('mainThread')) - mainBefore;
  const loop = await child.ask('late');
  const after = await child.stats?.();
  const {orders: count, answers, ends, cpu} = result;
  const figures = {
    rate: (count * 1e6) / cpu,
    ...(main > 0 && {main: main / count, others: (cpu - main) / count}),
    wall: (count * 1000) / result.ms,
    answer50: quantile(answers, 0.5),
    answer99: quantile(answers, 0.99),
    done50: quantile(ends, 0.5),
    done99: quantile(ends, 0.99),
    loop50: loop.p50,
    loop99: loop.p99,
    loopMax: loop.max,
  };
  if (after === undefined) return figures;
  return {
    ...figures,
    syncs: (after.store.transactions - before.store.transactions) / count,
    operations: (after.store.operations - before.store.operations) / count,
    pushed: ((after.events.pushed - before.events.pushed) * 1000) / result.ms,
  };
}

async function keepProfile(site, child, folder, name) {
  mkdirSync(folder, {recursive: true});
  for (const [thread, profile] of Object.entries(await child.ask('stopProfile'))) {
    const file = join(folder, `${name}-${thread}.cpuprofile`);
    writeFileSync(file, JSON.stringify(profile));
    site.log(`${file}\n${profileText(profile)}`);
  }
}
