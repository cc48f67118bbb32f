// In a server of orders: tells the load generator which are over and durable, and how late the event loop was.
import {connect} from 'node:net';
import {monitorEventLoopDelay} from 'node:perf_hooks';

const RESOLUTION_MS = 10;
/** What is over within it is told at once: the telling shall cost next to nothing. */
const TOLD_EVERY_MS = 2;
let told;
let waiting = '';

export function orderFinished(orderNo) {
  if (waiting === '') setTimeout(tell, TOLD_EVERY_MS);
  waiting += `${orderNo}\n`;
}

function tell() {
  told?.write(waiting);
  waiting = '';
}

const delay = monitorEventLoopDelay({resolution: RESOLUTION_MS});
delay.enable();
const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);

/** Commands of a server of orders. */
export const orderCommands = {
  tellTo({port}) {
    told = connect({host: '127.0.0.1', port, noDelay: true});
  },
  /** Milliseconds by which the event loop was late since the last asking. */
  late() {
    const loop = {p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max)};
    delay.reset();
    return loop;
  },
};
