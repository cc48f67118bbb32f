// How the cost of a device grows with their number: CPU per heartbeat and memory, at the same heartbeats per second.
import {setTimeout as wait} from 'node:timers/promises';
import {cpuOf, withBoth} from '../site.mjs';

const PER_SECOND = 1000;
const BEAT_MS = 4000;
/** Opened and closed before the first reading: what code and pools need once. */
const WARM_UP = 200;
const KIB = 1024;

export async function growth(site, {sizes}) {
  await site.issue(sizes.at(-1));
  const cpu = [];
  const memory = [];
  await withBoth(site, async ({bare, product, load: first}) => {
    // Each holds the devices of one server: two would be too many descriptors.
    const second = await site.startLoad();
    const loads = {bare: first, product: second};
    for (const {server, port, ask} of [bare, product]) {
      await loads[server].ask('openDevices', {server, port, from: 0, count: WARM_UP});
      await loads[server].ask('closeDevices', {server});
      while ((await ask('connections')) > 0) await wait(20);
    }
    const base = {bare: await bare.ask('memory'), product: await product.ask('memory')};
    let open = 0;
    for (const size of sizes) {
      const beats = {
        label: `CPU per heartbeat, ${size} devices`,
        unit: `µs at ${PER_SECOND} per second`,
        bare: [],
        product: [],
      };
      const held = {label: `memory per device, ${size} devices`, unit: 'KiB (PSS)', bare: [], product: []};
      for (const child of [bare, product]) {
        const {server, port} = child;
        site.log(`growth: opening ${size} devices, ${server}`);
        await loads[server].ask('openDevices', {server, port, from: open, count: size - open});
        const now = await child.ask('memory');
        const key = now.pss === undefined ? 'rss' : 'pss';
        held[server].push((now[key] - base[server][key]) / KIB / size);
      }
      for (let segment = 0; segment < 2; segment++) {
        for (const child of [bare, product]) {
          const {server} = child;
          const beat = () => loads[server].ask('beat', {server, perSecond: PER_SECOND, ms: BEAT_MS});
          const {roundTrips, cpu: spent} = await cpuOf(child, beat);
          beats[server].push(spent / roundTrips);
        }
      }
      site.log(`growth, ${size} devices: product ${beats.product.map(Math.round)} µs per heartbeat`);
      open = size;
      cpu.push(beats);
      memory.push(held);
    }
    await second.stop();
  });
  return [...cpu, growthOf('CPU per heartbeat', cpu, sizes), ...memory, growthOf('memory per device', memory, sizes)];
}

/** The last size against the first, for each server. */
function growthOf(label, rows, sizes) {
  const least = (values) => Math.min(...values);
  const times = (server) => [least(rows.at(-1)[server]) / least(rows[0][server])];
  return {
    label: `growth of ${label}, ${sizes[0]} to ${sizes.at(-1)}`,
    unit: 'times',
    bare: times('bare'),
    product: times('product'),
    productAtMost: 1.1,
  };
}
