import {createServer, type IncomingMessage} from 'node:http';
import type {AddressInfo} from 'node:net';
import {listenError, parseAddress} from '../config/index.js';
import {verifyWebhook} from '../events/index.js';

/** What a receiver has got. */
export interface ReceivedEvent {
  readonly eventId: string;
  readonly type: string;
  readonly orderNo: string | undefined;
  readonly sequence: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;
  /** It was here before: a receiver counts such a one once. */
  readonly repeated: boolean;
}

export interface WebhookReceiver {
  readonly url: string;
  close(): Promise<void>;
}

export interface WebhookReceiverOptions {
  /** "127.0.0.1:9000" and the like; port 0 lets the system choose. */
  addr: string;
  /** Of the server's events.secret. */
  secrets: readonly string[];
  /** An event has come, and its signature is right. */
  received(event: ReceivedEvent): void;
  /** Something has come that no server with the secret has sent now. */
  refused(reason: string): void;
}

const PATH = '/webhook';
const MAX_BODY = 1024 * 1024;
/** Events that are remembered, so that a repeated one is known. */
const REMEMBERED = 10_000;

/**
 * A merchant's side of the webhook: checks signature and time of each event and answers 200, or 401.
 * @throws PaynetError PORT_IN_USE and the like
 */
export async function startWebhookReceiver(options: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const {addr, secrets, received, refused} = options;
  const wanted = parseAddress(addr);
  const seen = new Set<string>();
  const server = createServer({requestTimeout: 10_000, headersTimeout: 10_000}, (request, response) => {
    const answer = (status: number): void => void response.writeHead(status).end();
    readBody(request).then(
      (body) => {
        if (request.method !== 'POST' || request.url !== PATH) return answer(404);
        const verdict = verifyWebhook({path: request.url, headers: request.headers, body, secrets});
        if (!verdict.ok) {
          refused(verdict.reason === 'time' ? 'its time is too far away' : 'its signature is wrong');
          return answer(401);
        }
        const event = eventOf(body);
        received({...event, repeated: seen.has(event.eventId)});
        seen.add(event.eventId);
        if (seen.size > REMEMBERED) seen.delete(seen.values().next().value ?? '');
        return answer(200);
      },
      () => answer(400),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, wanted, '--addr')));
    server.listen(wanted.port, wanted.host, () => resolve());
  });
  const {address, port, family} = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${port}${PATH}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY) throw new Error('the body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function eventOf(body: Buffer): Omit<ReceivedEvent, 'repeated'> {
  const {event_id, event_type, order_no, sequence_no, data} = JSON.parse(body.toString()) as Record<string, unknown>;
  return {
    eventId: String(event_id),
    type: String(event_type),
    orderNo: typeof order_no === 'string' ? order_no : undefined,
    sequence: typeof sequence_no === 'number' ? sequence_no : undefined,
    data: (data ?? {}) as Record<string, unknown>,
  };
}
