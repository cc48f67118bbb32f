import {PaynetError} from '../errors.js';

const STEP_LIMIT_MS = 30_000;

/** Waits for a step: no longer than 30 s, and not after the signal. Rejects with STEP_TIMEOUT or ABORTED. */
export async function within<T>(work: Promise<T>, name: string, signal: AbortSignal): Promise<T> {
  let end = (): void => {};
  const limit = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new PaynetError('STEP_TIMEOUT', `"${name}" did not end within ${STEP_LIMIT_MS / 1000} s`));
    }, STEP_LIMIT_MS);
    const onAbort = (): void => reject(new PaynetError('ABORTED', 'interrupted'));
    signal.addEventListener('abort', onAbort, {once: true});
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    end();
  }
}
