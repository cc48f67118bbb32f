import type {Connection} from '../session/index.js';

const STEPS = 50;

/**
 * Closes connections evenly over `ms`, so that the devices do not all come back at once, and waits for their ends;
 * each has its own farewell limit. One timer for all.
 */
export async function drain(
  connections: readonly Connection[],
  ms: number,
  close: (connection: Connection) => void,
): Promise<void> {
  const open = connections.filter((connection) => !connection.socket.destroyed);
  const ended = open.map(({socket}) => new Promise<void>((resolve) => socket.once('close', () => resolve())));
  let at = 0;
  let step = 0;
  const closeSome = (): void => {
    step++;
    const upTo = Math.ceil((open.length * step) / STEPS);
    for (const connection of open.slice(at, upTo)) close(connection);
    at = upTo;
  };
  closeSome();
  await new Promise<void>((resolve) => {
    if (at >= open.length) {
      resolve();
      return;
    }
    const timer = setInterval(() => {
      closeSome();
      if (at < open.length) return;
      clearInterval(timer);
      resolve();
    }, ms / STEPS);
  });
  await Promise.all(ended);
}
