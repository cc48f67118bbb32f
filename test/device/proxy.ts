import {once} from 'node:events';
import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {onTestFinished} from 'vitest';

/** A line between a client and a server that can be made as bad as lines are. */
export interface Line {
  port: number;
  /** Where new connections lead to. */
  target: number;
  /** Connections made so far. */
  readonly made: number;
  /** Bytes that have passed, both ways. */
  readonly passed: number;
  /** Milliseconds that every piece takes. */
  delayMs: number;
  /** Passes every byte on by itself. */
  single: boolean;
  /** Accepts connections, passes nothing on, and says nothing: the far end of a half-open connection. */
  hole: boolean;
  /** Ends every connection at once, with a reset. */
  cut(): void;
  /** Cuts when this many more bytes have passed; one of them may be in the middle of a record. */
  cutAfter(bytes: number): void;
  close(): Promise<void>;
}

/** Opens a proxy on a free port of the loopback; it goes with the test. */
export async function openProxy(target: number): Promise<Line> {
  const pairs = new Set<[Socket, Socket]>();
  let cutAt = Number.POSITIVE_INFINITY;
  let made = 0;
  let passed = 0;
  const server = createServer({noDelay: true}, (near) => {
    made++;
    const far = connect({port: proxy.target, host: '127.0.0.1', noDelay: true});
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const]) {
      from.on('error', () => from.destroy());
      from.on('close', () => {
        pairs.delete(pair);
        // In a hole nobody hears of the end either.
        if (!proxy.hole) to.destroy();
      });
      from.on('end', () => !proxy.hole && to.end());
      from.on('data', (chunk: Buffer) => pass(chunk, to));
    }
  });

  function pass(chunk: Buffer, to: Socket): void {
    if (proxy.hole) return;
    const left = cutAt - passed;
    passed += chunk.length;
    write(chunk.subarray(0, Math.min(chunk.length, left)), to);
    if (passed < cutAt) return;
    cutAt = Number.POSITIVE_INFINITY;
    proxy.cut();
  }

  function write(chunk: Buffer, to: Socket): void {
    if (proxy.delayMs > 0) {
      setTimeout(() => !proxy.hole && to.write(chunk), proxy.delayMs);
      return;
    }
    if (!proxy.single) {
      to.write(chunk);
      return;
    }
    for (const byte of chunk) to.write(Buffer.of(byte));
  }

  const proxy: Line = {
    port: 0,
    target,
    get made() {
      return made;
    },
    get passed() {
      return passed;
    },
    delayMs: 0,
    single: false,
    hole: false,
    cut() {
      for (const [near, far] of pairs) {
        near.resetAndDestroy();
        far.resetAndDestroy();
      }
    },
    cutAfter(bytes) {
      cutAt = passed + bytes;
    },
    async close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => proxy.close());
  proxy.port = (server.address() as AddressInfo).port;
  return proxy;
}
