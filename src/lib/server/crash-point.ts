import {PaynetError} from '../errors.js';
import type {Store, StoreLog} from '../store/index.js';

const WORDS = /^(before|after):([\w.]+):([1-9]\d{0,5})$/;

/** Read once: what a running process is told later does not count. */
const WANTED = process.env.PAYNET_CRASH_AT;

/**
 * For trials alone: PAYNET_CRASH_AT=before:orders.reportCoin:3 ends this process, as kill -9 does, at the third report
 * before it is stored; `after` is when it is stored and nobody has been told. Unset, nothing is touched.
 * @throws PaynetError CRASH_POINT when it names no point
 */
export function armCrashPoint(store: Store, log: StoreLog, wanted: string | undefined = WANTED): void {
  if (wanted === undefined) return;
  const [, when, name, count] = WORDS.exec(wanted) ?? [];
  if (name === undefined) {
    throw new PaynetError('CRASH_POINT', 'PAYNET_CRASH_AT names no point', {
      hint: 'Unset it. Trials write it like before:orders.reportCoin:3.',
    });
  }
  log.warn({point: wanted}, 'this process will kill itself, as PAYNET_CRASH_AT tells it: for trials only');
  let left = Number(count);
  const reached = (): void => {
    left -= 1;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
  };
  const run = store.run.bind(store);
  store.run = async (operation, args) => {
    if (operation.name !== name) return run(operation, args);
    if (when === 'before') reached();
    const result = await run(operation, args);
    if (when === 'after') reached();
    return result;
  };
}
