// Loaded before a server (node --import): at SIGUSR2 its time of day jumps by as many milliseconds from the real one as
// the file PAYNET_CLOCK_FILE says. What measures durations goes on as it did.
import {readFileSync} from 'node:fs';
import {isMainThread} from 'node:worker_threads';

if (isMainThread) {
  const real = Date.now;
  const RealDate = Date;
  let shift = 0;
  const now = () => real() + shift;
  globalThis.Date = class extends RealDate {
    constructor(...parts) {
      super(...(parts.length === 0 ? [now()] : parts));
    }
    static now() {
      return now();
    }
  };
  process.on('SIGUSR2', () => {
    shift = Number(readFileSync(process.env.PAYNET_CLOCK_FILE, 'utf8'));
  });
}
