// MQTT brokers, where they are installed, at what is nearest to an order: a command to a device and its answer, both with QoS 1, nothing durable.
import {spawnSync} from 'node:child_process';
import {hasPackage} from '../packages.mjs';
import {cpuOf} from '../site.mjs';

const WARM_UP_MS = 2000;
const SEGMENT_MS = 2000;
const SEGMENTS = 3;

export async function peers(site, {devices}) {
  const row = (name) => ({
    label: `${name}: command and answer, QoS 1, ${devices} devices, not durable`,
    unit: 'round trips per CPU-second',
    bare: [],
    product: [],
  });
  const missing = (name, what) => ({...row(name), note: `${what} is not installed`});
  if (!hasPackage('mqtt')) return ['mosquitto', 'aedes'].map((name) => missing(name, 'the package mqtt'));
  await site.issue(devices);
  const rows = [];
  for (const [name, installed] of [
    ['mosquitto', spawnSync('mosquitto', ['-h']).error === undefined],
    ['aedes', hasPackage('aedes')],
  ]) {
    if (installed) rows.push(await measure(site, row(name), name, devices));
    else rows.push(missing(name, name));
  }
  return rows;
}

async function measure(site, row, name, devices) {
  const children = [];
  try {
    const broker = await site.start(`server-${name}.mjs`, {tls: site.tls, dir: site.dir});
    children.push(broker);
    const load = await site.startLoad(undefined, 'load-mqtt.mjs');
    children.push(load);
    await load.ask('openDevices', {...(await broker.ask('address')), count: devices});
    for (let segment = 0; segment <= SEGMENTS; segment++) {
      const ms = segment === 0 ? WARM_UP_MS : SEGMENT_MS;
      const {roundTrips, cpu} = await cpuOf(broker, () => load.ask('roundTrips', {ms}));
      if (segment > 0) row.product.push((roundTrips * 1e6) / cpu);
    }
    site.log(`${name}: ${Math.round(row.product.at(-1)).toLocaleString('en')} per CPU-second`);
    return row;
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
}
