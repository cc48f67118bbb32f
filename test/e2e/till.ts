import {onTestFinished} from 'vitest';
import {type Client, createClient, type EventData, pathOf, type StreamEvent} from '../../src/lib/client/index.js';
import {type ReceivedEvent, startWebhookReceiver} from '../../src/lib/simulator/index.js';
import {openSite, type Site, type SiteOptions} from './site.js';

export const SECRET = 'webhook-secret-of-this-test';

/** An order as the interface shows it. */
export interface OrderShown {
  order_no: string;
  status: string;
  [field: string]: unknown;
}

/** A merchant: a server with its HTTP interface, a key for it, and a receiver of its webhooks. */
export interface Till extends Site {
  http: Client;
  /** Where the interface is. */
  origin: string;
  key: {key: string; hmacSecret: string};
  /** What the webhooks told, as it came. */
  received: ReceivedEvent[];
  /** What came without a right signature. */
  refused: string[];
  /** Resolves when the event of an order, or of a device without one, has been received. */
  told(type: string, orderNo?: string): Promise<ReceivedEvent>;
  types(orderNo: string): string[];
  order(orderNo: string): Promise<OrderShown>;
  /** The events of an order as the interface lists them. */
  events(orderNo: string): Promise<EventData[]>;
  /** Everything that the live stream tells from now on. */
  follow(): Promise<Followed>;
}

export interface Followed {
  seen: StreamEvent[];
  /** Resolves when something came that fits. */
  until(fits: (event: StreamEvent) => boolean): Promise<void>;
}

/** Opens one that closes with the test. */
export async function openTill(options: SiteOptions = {}): Promise<Till> {
  const received: ReceivedEvent[] = [];
  const refused: string[] = [];
  const waiting = new Set<() => void>();
  const receiver = await startWebhookReceiver({
    addr: '127.0.0.1:0',
    secrets: [SECRET],
    received(event) {
      received.push(event);
      for (const wake of waiting) wake();
    },
    refused: (reason) => refused.push(reason),
  });
  onTestFinished(() => receiver.close());
  const events = {url: receiver.url, secret: SECRET, allow_private: true, allow_http: true};
  const site = await openSite({...options, config: {api: {addr: '127.0.0.1:0'}, events, ...options.config}});
  const ending = new AbortController();
  onTestFinished(async () => {
    ending.abort();
    await site.close();
  });
  const key = await site.server.apiKeys.create({name: 'till', scope: 'admin'});
  const origin = `http://127.0.0.1:${site.server.apiAddress?.port}`;
  const {hmacSecret} = key;
  const http = createClient({server: origin, key: key.key, hmacSecret, timeoutMs: 10_000, signal: ending.signal});
  return Object.assign(site, {
    http,
    origin,
    key,
    received,
    refused,
    async told(type: string, orderNo?: string) {
      for (;;) {
        const found = received.find((event) => event.type === type && event.orderNo === orderNo);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    types: (orderNo: string) => received.filter((event) => event.orderNo === orderNo).map(({type}) => type),
    order: (orderNo: string) => http.get<OrderShown>(pathOf`/api/v1/orders/${orderNo}`),
    async events(orderNo: string) {
      const {events: all} = await http.get<{events: EventData[]}>(pathOf`/api/v1/orders/${orderNo}/events`);
      return all;
    },
    follow: () => follow(http),
  });
}

async function follow(client: Client): Promise<Followed> {
  const seen: StreamEvent[] = [];
  let wake = (): void => {};
  await new Promise<void>((opened, failed) => {
    const read = async (): Promise<void> => {
      for await (const event of client.stream({onOpen: opened})) {
        seen.push(event);
        wake();
      }
    };
    read().catch(failed);
  });
  return {
    seen,
    async until(fits) {
      while (!seen.some(fits)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
