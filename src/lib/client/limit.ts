/** A time limit that can begin anew, together with somebody else's word to stop. */
export interface Limit {
  /** Aborted when the time is over, or with the outer signal. */
  readonly signal: AbortSignal;
  /** Whether it was the time. */
  readonly isOver: boolean;
  restart(ms: number): void;
  /** Ends timer and listener. */
  end(): void;
}

export function startLimit(ms: number, outer: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let isOver = false;
  const over = (): void => {
    isOver = true;
    controller.abort();
  };
  const stop = (): void => controller.abort();
  let timer = setTimeout(over, ms);
  outer?.addEventListener('abort', stop, {once: true});
  if (outer?.aborted === true) stop();
  return {
    signal: controller.signal,
    get isOver() {
      return isOver;
    },
    restart(again) {
      clearTimeout(timer);
      timer = setTimeout(over, again);
    },
    end() {
      clearTimeout(timer);
      outer?.removeEventListener('abort', stop);
    },
  };
}
