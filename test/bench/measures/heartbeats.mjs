// What heartbeats cost with the database behind the device link: transactions, and CPU beside the link alone.
import {cpuOf, SETTINGS, startProduct} from '../site.mjs';

const PER_SECOND = 1000;
const BEAT_MS = 5000;
const SEGMENTS = 4;

export async function heartbeats(site, {devices}) {
  await site.issue(devices);
  const label = (text) => `heartbeats of ${devices} devices: ${text}`;
  const spent = {
    label: label('CPU of each (bare: the link without a database)'),
    unit: `µs at ${PER_SECOND} per second`,
    bare: [],
    product: [],
  };
  const written = {label: label('transactions'), unit: 'per 1,000', bare: [], product: [], productAtMost: 10};
  const link = {server: {addr: '127.0.0.1:0', tls: site.tls, ...SETTINGS}, observe: {addr: 'off'}};
  const product = await startProduct(site);
  const bare = await site.start('server-link.mjs', link);
  // Each holds the devices of one server.
  const loads = {bare: await site.startLoad(), product: await site.startLoad()};
  Object.assign(bare, {server: 'bare', ...(await bare.ask('address'))});
  try {
    for (const {server, port} of [bare, product]) {
      await loads[server].ask('openDevices', {server: 'product', port, from: 0, count: devices});
    }
    for (let segment = 0; segment <= SEGMENTS; segment++) {
      for (const child of [bare, product]) {
        const before = await child.stats?.();
        const beat = () => loads[child.server].ask('beat', {server: 'product', perSecond: PER_SECOND, ms: BEAT_MS});
        const {roundTrips, cpu} = await cpuOf(child, beat);
        const after = await child.stats?.();
        if (segment === 0) continue;
        spent[child.server].push(cpu / roundTrips);
        if (child !== product) continue;
        // Asking for the figures is one.
        const transactions = after.store.transactions - before.store.transactions - 1;
        written.product.push((transactions * 1000) / roundTrips);
      }
    }
  } finally {
    await Promise.all([bare, product, ...Object.values(loads)].map((child) => child.stop()));
  }
  const say = (values) => Math.round(values.at(-1));
  site.log(`heartbeats: link ${say(spent.bare)}, with the database ${say(spent.product)} µs of CPU each`);
  return [spent, written];
}
