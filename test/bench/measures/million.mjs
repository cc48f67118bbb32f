// The same writes and reads over few and over many orders, in turn.
import {median} from '../stats.mjs';

/** As many of each device in both: what grows is the database. */
const ORDERS_PER_DEVICE = 100;
const BLOCKS = 5;
const WHAT = [
  {what: 'create', label: 'create an order', count: 100},
  {what: 'get', label: 'get an order', count: 200},
  {what: 'list', label: 'list the orders of a device', count: 100},
  {what: 'count', label: 'count the orders of a device', count: 100},
  {what: 'all', label: 'list the latest orders', count: 100},
  {what: 'events', label: 'list the events of an order', count: 100},
  {what: 'eventsOfDevice', label: 'list the events of a device', count: 100},
  {what: 'sweep', label: 'look for orders whose time is over', count: 100},
  {what: 'stats', label: 'the figures', count: 20},
];

export async function million(site, {few, many}) {
  const sizes = [few, many];
  const children = [];
  try {
    for (const orders of sizes) {
      site.log(`million: filling ${orders.toLocaleString('en')} orders`);
      children.push(
        await site.start('store-sizes.mjs', {path: site.newDatabase(), orders, devices: orders / ORDERS_PER_DEVICE}),
      );
      await children.at(-1).ask('fill');
    }
    const rows = [];
    for (const {what, label, count} of WHAT) {
      const times = [[], []];
      for (let block = 0; block <= BLOCKS; block++) {
        for (const [at, child] of children.entries()) {
          const taken = await child.ask('time', {what, count});
          if (block > 0) times[at].push(...taken);
        }
      }
      const [bare, product] = times.map((values) => [median(values) * 1000]);
      rows.push({label: `${say(many)} orders (bare: ${say(few)}): ${label}`, unit: 'µs, median', bare, product});
      site.log(`${label}: ${say(few)}: ${bare[0].toFixed(0)}, ${say(many)}: ${product[0].toFixed(0)} µs`);
    }
    return rows;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}

const say = (count) => count.toLocaleString('en');
