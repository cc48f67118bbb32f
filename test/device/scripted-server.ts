import {once} from 'node:events';
import type {AddressInfo} from 'node:net';
import {createServer, type TLSSocket, type TlsOptions} from 'node:tls';
import {onTestFinished} from 'vitest';
import {encodeFrame, FrameDecoder} from '../../src/lib/frame/index.js';
import {MessageRegistry} from '../../src/lib/registry/index.js';

const registry = new MessageRegistry();

export interface Visitor {
  socket: TLSSocket;
  send(name: string, message: object): void;
}

/** A TLS server that says what the script says: for what no good server does. It goes with the test. */
export async function scriptedServer(
  tls: TlsOptions,
  script: (visitor: Visitor, name: string, message: Record<string, unknown>) => void,
): Promise<number> {
  const sockets = new Set<TLSSocket>();
  const server = createServer({minVersion: 'TLSv1.3', ...tls}, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const visitor: Visitor = {
      socket,
      send: (name, message) => {
        const definition = registry.byName(name, 'down')!;
        socket.write(encodeFrame(definition.type, definition.codec.encode(message)));
      },
    };
    const decoder = new FrameDecoder((type, bytes, start, end) => {
      const definition = registry.lookup(type, 'up')!;
      script(visitor, definition.name, definition.codec.decode(bytes, start, end) as Record<string, unknown>);
      return true;
    });
    socket.on('data', (chunk: Buffer) => decoder.push(chunk));
  });
  server.on('tlsClientError', (_, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers registration and login with OK. */
export function admit({send}: Visitor, name: string): boolean {
  if (name === 'RegisterReq') send('RegisterRsp', {code: 0, msg: '', deviceId: 'device001'});
  else if (name === 'LoginReq') send('LoginRsp', {code: 0, msg: 'ok', resumeToken: ''});
  else return false;
  return true;
}
