import {monitorEventLoopDelay} from 'node:perf_hooks';

export interface LoopDelay {
  /** Seconds the event loop was late since the last reading, which ends with this one. */
  read(): {p50: number; p99: number; max: number};
  /** Ends the timer that measures. */
  close(): void;
}

/** The timer that is waited for; a measured delay includes it. */
const RESOLUTION_MS = 10;

export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({resolution: RESOLUTION_MS});
  histogram.enable();
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000);
  return {
    read() {
      const delay = {
        p50: late(histogram.percentile(50)),
        p99: late(histogram.percentile(99)),
        max: late(histogram.max),
      };
      histogram.reset();
      return delay;
    },
    close() {
      histogram.disable();
    },
  };
}
