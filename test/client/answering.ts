import {once} from 'node:events';
import {createServer, type IncomingMessage, type RequestListener} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {onTestFinished} from 'vitest';

export interface Answering {
  origin: string;
  port: number;
  requests: IncomingMessage[];
}

/** A server that answers as the test says; over TLS with a certificate. It goes with the test. */
export async function answering(
  listener: RequestListener,
  tls?: {cert: string; key: string},
  host = '127.0.0.1',
): Promise<Answering> {
  const requests: IncomingMessage[] = [];
  const kept: RequestListener = (request, response) => {
    requests.push(request);
    listener(request, response);
  };
  const server = tls === undefined ? createServer(kept) : createSecureServer(tls, kept);
  server.listen(0, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const {port} = server.address() as AddressInfo;
  return {origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`, port, requests};
}

export const envelope = (data: unknown): string =>
  JSON.stringify({code: 0, message: 'ok', data, request_id: 'r-1', timestamp: 1});
