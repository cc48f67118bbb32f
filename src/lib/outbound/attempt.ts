import {codeOf, messageOf, PaynetError} from '../errors.js';
import {printable} from '../observe/index.js';
import {Alarm, type DeadlineWheel} from '../session/index.js';

/** How long a device may take to acknowledge a command. */
const ACK_MS = 10_000;
const LONGEST_ERROR = 500;

/** What became of an attempt. `left`: its process is about to end, and does not know. */
export type Verdict =
  | {readonly kind: 'done'}
  | {readonly kind: 'left'}
  | {readonly kind: 'refused' | 'impossible' | 'silent' | 'failed'; readonly error: string};

/** Sends, and waits for the ack until its time is over or `controller` is aborted, whatever `send` does then. */
export async function attempt(
  send: (signal: AbortSignal) => Promise<void>,
  wheel: DeadlineWheel,
  controller: AbortController,
): Promise<Verdict> {
  const {signal} = controller;
  const alarm = new Alarm(() => {
    controller.abort(new PaynetError('ACK_TIMEOUT', 'the device has not acknowledged the command in time'));
  });
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), {once: true});
  });
  wheel.schedule(alarm, ACK_MS);
  try {
    await Promise.race([send(signal), aborted]);
    return {kind: 'done'};
  } catch (error) {
    return verdictOf(signal.aborted ? signal.reason : error);
  } finally {
    wheel.cancel(alarm);
  }
}

function verdictOf(cause: unknown): Verdict {
  const error = printable(messageOf(cause), LONGEST_ERROR);
  if (cause instanceof RangeError) return {kind: 'impossible', error};
  switch (codeOf(cause)) {
    case 'COMMAND_REFUSED':
      return {kind: 'refused', error};
    case 'COMMAND_UNSUPPORTED':
      return {kind: 'impossible', error};
    case 'ACK_TIMEOUT':
      return {kind: 'silent', error};
    case 'SERVER_STOPPED':
      return {kind: 'left'};
    default:
      return {kind: 'failed', error};
  }
}
