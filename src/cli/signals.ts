import {constants} from 'node:os';

export interface Interruption {
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, unless `onHangup` takes the last. */
  readonly signal: AbortSignal;
  /** Resolves at that moment. */
  readonly interrupted: Promise<void>;
  /** Gives the signals back. */
  release(): void;
}

/** Waits for the word to stop. The first signal asks for a clean end; a second one ends the process at once. */
export function onInterrupt(onHangup?: () => void): Interruption {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    controller.abort();
  };
  const hangup = (): void => (onHangup === undefined ? stop('SIGHUP') : onHangup());
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', hangup);
  const interrupted = new Promise<void>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(), {once: true});
  });
  return {
    signal: controller.signal,
    interrupted,
    release() {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      process.off('SIGHUP', hangup);
    },
  };
}
