import {once} from 'node:events';
import {createServer} from 'node:net';
import {codeOf} from '../../src/lib/errors.js';

/** Below the numbers that the system gives to outgoing connections: nobody gets one of these while a server is down. */
const LEAST = 20_000;
const MOST = 32_000;

/** A port of the loopback that is free now, and that nobody is given by chance. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LEAST + Math.floor(Math.random() * (MOST - LEAST));
    const server = createServer();
    try {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return port;
    } catch (error) {
      if (codeOf(error) !== 'EADDRINUSE') throw error;
    } finally {
      server.close();
    }
  }
}
