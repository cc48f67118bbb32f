import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http';
import {verifyWebhook} from '../../src/lib/events/index.js';
import {pause} from './waiting.js';

/** How the merchant's receiver behaves. */
export type SinkMode = 'ok' | 'down' | 'slow' | 'garbage';

export interface DeliveredEvent {
  eventId: string;
  type: string;
  orderNo: string | undefined;
  sequence: number | undefined;
  status: string | undefined;
  /** Whether it was answered with 200. */
  accepted: boolean;
}

const PATH = '/webhook';

/** A merchant's receiver that keeps every delivery, and whose health can be changed. */
export class Sink {
  readonly deliveries: DeliveredEvent[] = [];
  /** Deliveries whose signature or time was wrong. */
  refused = 0;
  readonly #port: number;
  readonly #secret: string;
  #mode: SinkMode = 'ok';
  #count = 0;
  #server: Server | undefined;

  constructor(port: number, secret: string) {
    this.#port = port;
    this.#secret = secret;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${PATH}`;
  }

  async be(mode: SinkMode): Promise<void> {
    this.#mode = mode;
    if (mode === 'down') await this.close();
    else if (this.#server === undefined) await this.#open();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((closed) => {
      server.close(() => closed());
      server.closeAllConnections();
    });
  }

  async #open(): Promise<void> {
    const server = createServer((request, response) => {
      // A sender that is killed leaves in the middle.
      this.#take(request, response).catch(() => response.destroy());
    });
    await new Promise<void>((listening, failed) => {
      server.once('error', failed).listen(this.#port, '127.0.0.1', listening);
    });
    this.#server = server;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const verdict = verifyWebhook({path: PATH, headers: request.headers, body, secrets: [this.#secret]});
    if (!verdict.ok) {
      this.refused += 1;
      response.writeHead(401).end();
      return;
    }
    this.#count += 1;
    const accepted = this.#mode !== 'garbage';
    this.deliveries.push({...eventOf(body), accepted});
    if (this.#mode === 'slow') await pause(100 + (this.#count % 5) * 200);
    if (accepted) response.end('ok');
    else this.#talkNonsense(response);
  }

  #talkNonsense(response: ServerResponse): void {
    const {socket} = response;
    switch (this.#count % 4) {
      case 0:
        response.writeHead(500).end('<html>');
        break;
      case 1:
        response.writeHead(302, {location: 'http://127.0.0.1:1/'}).end();
        break;
      case 2:
        socket?.end('HTTP/1.1 banana\r\n\r\n');
        break;
      default:
        socket?.destroy();
    }
  }
}

function eventOf(body: Buffer): Omit<DeliveredEvent, 'accepted'> {
  const {event_id, event_type, order_no, sequence_no, data} = JSON.parse(body.toString());
  return {
    eventId: event_id,
    type: event_type,
    orderNo: order_no,
    sequence: sequence_no,
    status: data?.new_status,
  };
}
