// Small messages: many devices in turn, and one busy connection. CPU of the server only.
import {cpuOf, withBoth} from '../site.mjs';

const WARM_UP_MS = 700;
const SEGMENTS = 3;

/** 1000 devices, one frame each way in turn. */
export async function turns(site, {rounds, devices}) {
  await site.issue(devices);
  const job = {command: 'pingPong', segmentMs: 1000};
  const rows = await measure(site, rounds, devices, [
    {...job, label: `${devices} devices in turn: Ping, Pong`, kind: 'ping', atLeast: 1},
    {...job, label: `${devices} devices in turn: business message, handler, answer`, kind: 'business'},
  ]);
  return rows.map((row) => ({...row, unit: 'round trips per CPU-second'}));
}

/** 50 frames in a record, on one connection. */
export async function records(site, {rounds}) {
  await site.issue(1);
  const job = {command: 'burst', frames: 50, ahead: 16, segmentMs: 700};
  const rows = await measure(site, rounds, 1, [
    {...job, label: '50 Pings in a record, frames in and out', kind: 'ping', perRoundTrip: 2, productAtLeast: 2e6},
    {...job, label: '50 business messages in a record, frames in and out', kind: 'business', perRoundTrip: 2},
  ]);
  return rows.map((row) => ({...row, unit: 'frames (in + out) per CPU-second; half of it are round trips'}));
}

async function measure(site, rounds, devices, jobs) {
  const rows = jobs.map(({label, atLeast, productAtLeast}) => ({
    label,
    bare: [],
    product: [],
    ...(atLeast && {ratioAtLeast: atLeast}),
    ...(productAtLeast && {productAtLeast}),
  }));
  for (let round = 1; round <= rounds; round++) {
    await withBoth(site, async ({bare, product, load}) => {
      for (const {server, port} of [bare, product]) {
        await load.ask('openDevices', {server, port, from: 0, count: devices});
      }
      for (const [at, {command, kind, frames, ahead, segmentMs, perRoundTrip = 1}] of jobs.entries()) {
        for (let segment = 0; segment <= SEGMENTS; segment++) {
          for (const child of [bare, product]) {
            const {server} = child;
            const ms = segment === 0 ? WARM_UP_MS : segmentMs;
            const work = () => load.ask(command, {server, kind, frames, ahead, ms});
            const {roundTrips, cpu} = await cpuOf(child, work);
            if (segment > 0) rows[at][server].push((roundTrips * perRoundTrip * 1e6) / cpu);
          }
        }
        const last = rows[at];
        site.log(`${last.label}: round ${round}/${rounds}: bare ${say(last.bare)}, product ${say(last.product)}`);
      }
    });
  }
  return rows;
}

const say = (values) => Math.round(values.at(-1)).toLocaleString('en');
