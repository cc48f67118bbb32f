// From the posting of an order to the first byte of its command at the device, on an idle machine.
import {withOrders} from '../site.mjs';
import {quantile} from '../stats.mjs';

const BLOCKS = 10;
const PAUSE_MS = 10;
const WARM_UP = 100;
const DEVICES = 10;

/** The reference is one insert with a commit and a sync of its own, on the same disk, in turn with the orders. */
export async function latency(site, {orders}) {
  await site.issue(DEVICES);
  const row = (label) => ({label, unit: 'ms', bare: [], product: [], differenceAtMost: 3});
  const half = row('one order to the first byte at its device (bare: one commit), median');
  const most = row('one order to the first byte at its device (bare: one commit), p99');
  await withOrders(site, {devices: DEVICES, sockets: 1}, async ({bare, product, load}) => {
    const {server, credentials} = product;
    const frames = (count) => load.ask('oneByOne', {server, credentials, count, pauseMs: PAUSE_MS});
    const commits = (count) => bare.ask('commits', {count, pauseMs: PAUSE_MS});
    await frames(WARM_UP);
    await commits(WARM_UP);
    const times = {bare: [], product: []};
    for (let block = 0; block < BLOCKS; block++) {
      times.bare.push(...(await commits(orders / BLOCKS)));
      times.product.push(...(await frames(orders / BLOCKS)));
    }
    for (const name of ['bare', 'product']) {
      half[name].push(quantile(times[name], 0.5));
      most[name].push(quantile(times[name], 0.99));
    }
  });
  const say = ({bare, product}) => `commit ${bare[0].toFixed(2)}, order ${product[0].toFixed(2)} ms`;
  site.log(`latency: median: ${say(half)}; p99: ${say(most)}`);
  return [half, most];
}
