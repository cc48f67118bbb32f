// In a server of orders: counts those that are over and durable, and how long each took since it was posted.
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {setTimeout as wait} from 'node:timers/promises';
import {ageOf} from './order-numbers.mjs';

const RESOLUTION_MS = 10;
let ages = [];

export const orderFinished = (orderNo) => void ages.push(ageOf(orderNo));

const delay = monitorEventLoopDelay({resolution: RESOLUTION_MS});
delay.enable();
const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

/** Commands of a server of orders. */
export const orderCommands = {
  /** Forgets what was measured so far. */
  fresh() {
    ages = [];
    delay.reset();
  },
  /** Milliseconds of each order from its posting on, when `count` are over, and how late the event loop was. */
  async finished({count}) {
    while (ages.length < count) await wait(5);
    const loop = {p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max)};
    return {ages: ages.map((us) => us / 1000), loop};
  },
};
