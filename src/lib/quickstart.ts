import {EventEmitter, once} from 'node:events';
import {join} from 'node:path';
import {createClient} from './client/index.js';
import {messageOf, PaynetError} from './errors.js';
import {createLog} from './observe/index.js';
import {apiKeyOf, deviceConfig, prepare, type QuickstartFiles, serverConfig} from './quickstart/files.js';
import {within} from './quickstart/within.js';
import {PaynetServer} from './server.js';
import {
  createVirtualDevice,
  describeMessage,
  type ReceivedEvent,
  startWebhookReceiver,
  type VirtualDevice,
  type WebhookReceiver,
} from './simulator/index.js';

export type {QuickstartFiles} from './quickstart/files.js';

export interface QuickstartOptions {
  /** Where the authority, certificates and configuration are made, and found again the next time. */
  dir: string;
  /** How many simulated devices, 1 to 100. */
  devices: number;
  signal: AbortSignal;
  /** Told of everything, as it happens. */
  tell(moment: QuickstartMoment): void;
}

export interface QuickstartMoment {
  /** Milliseconds since the start. */
  at: number;
  who: string;
  direction: 'sent' | 'received' | 'event' | 'failed';
  what: string;
  detail: string;
}

export interface QuickstartStep {
  name: string;
  ok: boolean;
  ms: number;
  error?: string;
}

export interface Quickstart {
  /** Every step of the flow, up to the one that failed. */
  readonly steps: readonly QuickstartStep[];
  readonly ok: boolean;
  readonly files: QuickstartFiles;
  readonly address: {host: string; port: number} | undefined;
  readonly observe: {host: string; port: number} | undefined;
  readonly api: {host: string; port: number} | undefined;
  /** Stops the devices, then the server, then the receiver of its webhooks. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 1000;
const SHOWN_HEARTBEATS = 10;
const COIN_MS = 150;
const COINS = 5;
const CALL_LIMIT_MS = 10_000;

interface OrderAnswer {
  order_no: string;
  status: string;
  progress: number;
  attempts: number;
  error: string | null;
}

/**
 * From nothing to coins: makes an authority, certificates and a configuration, starts a server and a merchant's receiver
 * of webhooks, connects simulated devices over TLS 1.3 with client certificates, places one coin order through the HTTP
 * interface and sees it paid out and told. A step that fails ends the flow; it is in `steps`. What was started runs
 * until `stop`.
 */
export async function quickstart(options: QuickstartOptions): Promise<Quickstart> {
  const began = performance.now();
  const steps: QuickstartStep[] = [];
  const devices: VirtualDevice[] = [];
  const names = Array.from({length: options.devices}, (_, index) => `device${String(index + 1).padStart(3, '0')}`);
  const first = names[0] ?? 'device001';
  const tell = (who: string, direction: QuickstartMoment['direction'], what: string, detail = ''): void =>
    options.tell({at: performance.now() - began, who, direction, what, detail});
  let server: PaynetServer | undefined;
  let receiver: WebhookReceiver | undefined;
  let files: QuickstartFiles = {serverConfig: '', deviceConfig: '', ca: '', apiKey: ''};
  const webhooks = new EventEmitter<{event: [ReceivedEvent]}>();

  async function step<T>(name: string, work: () => Promise<T>): Promise<T> {
    const at = performance.now();
    try {
      options.signal.throwIfAborted();
      const result = await within(work(), name, options.signal);
      steps.push({name, ok: true, ms: Math.round(performance.now() - at)});
      return result;
    } catch (error) {
      const text = options.signal.aborted ? 'interrupted' : messageOf(error);
      steps.push({name, ok: false, ms: Math.round(performance.now() - at), error: text});
      tell('quickstart', 'failed', name, text);
      throw error;
    }
  }

  async function connect(name: string): Promise<void> {
    const flow = {register: {deviceSn: name, model: 'quickstart', firmware: '1.0.0'}, login: {version: '1.0.0'}};
    const device = await createVirtualDevice({
      config: deviceConfig(options.dir, name, server?.address.port ?? 0, HEARTBEAT_MS),
      ledgerFile: join(options.dir, `${name}.ledger`),
      coinMs: COIN_MS,
    });
    devices.push(device);
    let beats = 0;
    device.client.on('message', ({direction, name: message, message: fields}) => {
      // Of the heartbeats, the first is told, and then one in ten.
      if (message === 'Ping') beats++;
      if ((message === 'Ping' || message === 'Pong') && beats % SHOWN_HEARTBEATS !== 1) return;
      tell(name, direction, message, describeMessage(message, fields));
    });
    device.client.on('retry', ({error}) => tell(name, 'failed', 'connection', messageOf(error)));
    device.client.on('online', ({tlsVersion}) =>
      tell(name, 'event', 'online', `over ${tlsVersion}, both certificates checked`),
    );
    await device.client.start(options.signal, flow);
  }

  try {
    const {ports, secret} = await step('certificates and configuration', async () => {
      const prepared = await prepare(options.dir, names);
      files = prepared.files;
      const made = `authority, ${names.length + 1} certificates and configuration in ${options.dir}`;
      tell('quickstart', 'event', 'prepared', made);
      return prepared;
    });
    receiver = await step('webhook receiver', async () => {
      const started = await startWebhookReceiver({
        addr: `127.0.0.1:${ports.webhook}`,
        secrets: [secret],
        received(event) {
          tell('merchant', 'received', event.type, eventText(event));
          webhooks.emit('event', event);
        },
        refused: (reason) => tell('merchant', 'failed', 'webhook', reason),
      });
      tell('merchant', 'event', 'listening', `for webhooks at ${started.url}`);
      return started;
    });
    server = await step('server', async () => {
      const log = createLog({level: 'error', format: 'auto'});
      const starting = new PaynetServer(serverConfig(options.dir, ports, secret), {log});
      server = starting;
      await starting.start();
      const {host, port} = starting.address;
      tell('server', 'event', 'listening', `on ${host}:${port}, TLS 1.3 with client certificates`);
      return starting;
    });
    await step('register and log in', async () => {
      for (const name of names) await connect(name);
    });
    await step('heartbeat', async () => {
      const {client} = devices[0]!;
      await new Promise<void>((resolve) => client.once('heartbeat', () => resolve()));
    });
    await step('coin order', async () => {
      const {key, hmac_secret: hmacSecret} = await apiKeyOf(server!, files.apiKey);
      const shop = createClient({
        server: `http://127.0.0.1:${ports.api}`,
        key,
        hmacSecret,
        timeoutMs: CALL_LIMIT_MS,
        signal: options.signal,
      });
      const orderNo = `quickstart-${Date.now()}`;
      const ended = endOf(orderNo);
      const body = {order_no: orderNo, device_id: first, coins: COINS, timeout_seconds: 20};
      tell('merchant', 'sent', 'POST', `/api/v1/coin-orders ${JSON.stringify(body)}`);
      const placed = await shop.post<OrderAnswer>('/api/v1/coin-orders', {body});
      tell('merchant', 'received', '202', `${placed.order_no}: ${placed.status}`);
      const last = await ended;
      const order = await shop.get<OrderAnswer>(`/api/v1/coin-orders/${orderNo}`);
      if (order.status !== 'done' || last.type !== 'order.completed') {
        throw new PaynetError('ORDER_FAILED', `the order ended ${order.status}: ${order.error ?? last.type}`);
      }
      tell(
        'merchant',
        'event',
        'paid out',
        `${orderNo}: ${order.status}, ${order.progress} %, ${order.attempts} attempt`,
      );
    });
  } catch {
    // The step that failed is in `steps`; whoever called decides what to do.
  }
  return {
    steps,
    ok: steps.every(({ok}) => ok),
    files,
    address: server?.isListening === true ? server.address : undefined,
    observe: server?.observeAddress,
    api: server?.apiAddress,
    async stop() {
      await Promise.all(devices.map((device) => device.stop()));
      await server?.stop();
      await receiver?.close();
    },
  };

  /** Resolves with the webhook that tells of the end of an order. */
  async function endOf(orderNo: string): Promise<ReceivedEvent> {
    for (;;) {
      const [event] = await once(webhooks, 'event', {signal: options.signal});
      if (event.orderNo === orderNo && LAST.has(event.type)) return event;
    }
  }
}

const LAST: ReadonlySet<string> = new Set(['order.completed', 'order.failed', 'order.timeout', 'order.cancelled']);

function eventText({eventId, data: {old_status: from, new_status: to}}: ReceivedEvent): string {
  const change = to === undefined ? '' : ` ${from === null ? '' : `${from} → `}${to}`;
  return `${eventId}${change}, signature checked`;
}
