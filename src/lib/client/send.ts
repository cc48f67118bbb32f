import {randomBytes} from 'node:crypto';
import {request as httpRequest, type IncomingMessage} from 'node:http';
import {request as httpsRequest} from 'node:https';
import {signRequest} from '../events/index.js';
import {CallError} from './errors.js';
import {unreachable} from './unreachable.js';

/** Where calls go, and who makes them. */
export interface Target {
  server: URL;
  key: string;
  hmacSecret?: string | undefined;
  /** PEM; instead of the authorities that Node knows. */
  ca?: string | undefined;
}

export interface Message {
  method: 'GET' | 'POST';
  /** With the query, as it is sent and signed. */
  path: string;
  body: Uint8Array;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Sends a signed request over a connection of its own; resolves with the head of the answer. Nothing is followed to
 * another place: the key would go there.
 * @throws CallError SERVER_UNREACHABLE, ANSWER_REDIRECT; what `signal` aborts is SERVER_UNREACHABLE too
 */
export function send(target: Target, message: Message, signal: AbortSignal): Promise<IncomingMessage> {
  const {server, ca} = target;
  const {method, path, body} = message;
  const isSecure = server.protocol === 'https:';
  const options = {
    // An IPv6 address without its brackets.
    host: server.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: server.port === '' ? (isSecure ? 443 : 80) : Number(server.port),
    method,
    path,
    headers: headersOf(target, message),
    agent: false,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    let isSent = false;
    const request = isSecure
      ? httpsRequest({...options, minVersion: 'TLSv1.2', ...(ca !== undefined && {ca})})
      : httpRequest(options);
    request.on('socket', (socket) => {
      socket.once(isSecure ? 'secureConnect' : 'connect', () => {
        isSent = true;
      });
    });
    request.on('error', (error) => reject(unreachable(error, server, isSent && method === 'POST')));
    request.on('response', (response) => {
      const {statusCode: status = 0} = response;
      if (status >= 300 && status < 400) {
        response.destroy();
        reject(
          new CallError('ANSWER_REDIRECT', `${server.origin} sends the call to another address.`, {
            status,
            hint: 'Give the address where the server itself answers; the API key goes nowhere else.',
          }),
        );
      } else resolve(response);
    });
    request.end(body);
  });
}

function headersOf({key, hmacSecret}: Target, {method, path, body, headers}: Message): Record<string, string | number> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  const nonce = randomBytes(16).toString('hex');
  return {
    accept: 'application/json',
    'user-agent': 'paynetctl',
    'x-api-key': key,
    ...(hmacSecret !== undefined && {
      'x-timestamp': timestamp,
      'x-nonce': nonce,
      'x-signature': signRequest(hmacSecret, {method, path, timestamp, nonce, body}),
    }),
    ...(method === 'POST' && {'content-type': 'application/json', 'content-length': body.length}),
    ...headers,
  };
}
