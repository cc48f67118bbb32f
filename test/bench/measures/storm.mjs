// All devices lose their connections at once and come back, with the product's own pacing; is it there meanwhile?
import {setTimeout as wait} from 'node:timers/promises';
import {cpuOf} from '../site.mjs';
import {quantile} from '../stats.mjs';

const LOADS = 2;
const POLL_MS = 100;
/** Thousands of clients need more than one CPU, or they are what is measured. */
const ANY_CPU = null;

export async function storm(site, {devices}) {
  await site.issue(devices);
  const server = await site.startServer('product', {settings: {heartbeat_expect: '1h'}, observe: '127.0.0.1:0'});
  const loads = await Promise.all(Array.from({length: LOADS}, () => site.startLoad(ANY_CPU)));
  const share = Math.ceil(devices / LOADS);
  try {
    site.log(`storm: connecting ${devices} devices`);
    const order = {server: 'product', port: server.port, keepSession: true, parallel: 16};
    await Promise.all(
      loads.map((load, at) =>
        load.ask('openDevices', {...order, from: at * share, count: Math.min(share, devices - at * share)}),
      ),
    );
    site.log('storm: all of them reconnect');
    const poller = pollMetrics(server.observe);
    const began = performance.now();
    const storming = (load) => cpuOf(load, () => load.ask('storm', {port: server.port}));
    const {results, cpu} = await cpuOf(server, async () => ({results: await Promise.all(loads.map(storming))}));
    const elapsedUs = (performance.now() - began) * 1000;
    const answers = await poller.stop();
    const back = results.flatMap((result) => result.back).map((ms) => ms / 1000);
    const row = (label, unit, value) => ({
      label: `${devices} devices reconnect: ${label}`,
      unit,
      bare: [],
      product: [value],
    });
    return [
      row('all are back after', 'seconds', Math.max(...back)),
      row('half are back after', 'seconds', quantile(back, 0.5)),
      row('CPU of the server', 'of one CPU', cpu / elapsedUs),
      row('CPU of the load generators', 'of one CPU', sum(results, 'cpu') / elapsedUs),
      row('attempts per device', 'times', sum(results, 'attempts') / devices),
      row('/metrics answers, p99', 'ms', quantile(answers.times, 0.99)),
      row('/metrics answers that failed', 'of all', answers.failed / (answers.failed + answers.times.length)),
    ];
  } finally {
    await Promise.all([server, ...loads].map((child) => child.stop()));
  }
}

function pollMetrics(port) {
  const times = [];
  let failed = 0;
  let going = true;
  const polling = (async () => {
    while (going) {
      const began = performance.now();
      try {
        const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {signal: AbortSignal.timeout(10_000)});
        await answer.text();
        if (!answer.ok) throw new Error(String(answer.status));
        times.push(performance.now() - began);
      } catch {
        failed++;
      }
      await wait(POLL_MS);
    }
  })();
  return {
    async stop() {
      going = false;
      await polling;
      return {times, failed};
    },
  };
}

const sum = (results, key) => results.reduce((total, result) => total + result[key], 0);
