// All devices of a load generator lose their connections at once and come back, each as the SDK does it.
import {setTimeout as wait} from 'node:timers/promises';
import {connect} from './connection.mjs';

const CONNECT_TIMEOUT_MS = 10_000;
const BACKOFF_BASE_MS = 1000;
const BACKOFF_MAX_MS = 64_000;

/**
 * Resolves when every device is logged in again, with the milliseconds each of them took. `devices` are open
 * connections; they are replaced in place.
 */
export async function storm({port}, devices, contextOf, greet) {
  const began = performance.now();
  let attempts = 0;
  for (const {socket} of devices) socket.destroy();
  const back = await Promise.all(
    devices.map(async ({device, session}, at) => {
      for (let failures = 0; ; failures++) {
        // Full jitter, as the SDK has it.
        await wait(Math.random() * Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** failures));
        attempts++;
        try {
          const connection = await connect({
            port,
            device,
            context: contextOf(device),
            session,
            keepSession: true,
            timeoutMs: CONNECT_TIMEOUT_MS,
          });
          await greet(connection);
          devices[at] = connection;
          return performance.now() - began;
        } catch {
          // The next turn waits and tries again; that it does so is counted.
        }
      }
    }),
  );
  return {back, attempts};
}
