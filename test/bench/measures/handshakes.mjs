// Handshakes per CPU-second of the server: connect, one frame each way, close.
import {cpuOf, withBoth} from '../site.mjs';

const DEVICES = 64;
const PARALLEL = 8;
const SEGMENTS = 3;
/** Until the engine has compiled what a connection costs; servers run for months. */
const WARM_UP = {first: 800, later: 150};

const JOBS = [
  {label: 'full handshakes, one frame each way', resumed: false, count: 300, ratioAtLeast: 0.95},
  {label: 'resumed handshakes, one frame each way', resumed: true, count: 600, ratioAtLeast: 0.9},
  {label: 'full handshakes and login (bare: echo)', resumed: false, count: 300, hello: 'login'},
];

export async function handshakes(site, {rounds}) {
  await site.issue(DEVICES);
  const rows = JOBS.map(({label, ratioAtLeast}) => ({
    label,
    unit: 'per CPU-second',
    bare: [],
    product: [],
    ...(ratioAtLeast && {ratioAtLeast}),
  }));
  for (let round = 1; round <= rounds; round++) {
    await withBoth(site, async ({bare, product, load}) => {
      for (const [at, {resumed, count, hello}] of JOBS.entries()) {
        for (let segment = 0; segment <= SEGMENTS; segment++) {
          for (const child of [bare, product]) {
            const {server, port} = child;
            const order = {server, port, parallel: PARALLEL, devices: DEVICES, resumed, hello};
            const {cpu} = await cpuOf(child, () =>
              load.ask('handshakes', {...order, count: segment > 0 ? count : at === 0 ? WARM_UP.first : WARM_UP.later}),
            );
            if (segment > 0) rows[at][server].push((count * 1e6) / cpu);
          }
        }
        const {label} = JOBS[at];
        const say = (values) => Math.round(values.at(-1));
        site.log(`${label}: round ${round}/${rounds}: bare ${say(rows[at].bare)}, product ${say(rows[at].product)}`);
      }
    });
  }
  return rows;
}
