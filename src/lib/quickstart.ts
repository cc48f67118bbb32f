import {createServer} from 'node:net';
import {join} from 'node:path';
import type {ConfigInput} from './config/index.js';
import {messageOf, PaynetError} from './errors.js';
import {createLog} from './observe/index.js';
import {PaynetServer} from './server.js';
import {createVirtualDevice, describeMessage, type VirtualDevice} from './simulator/index.js';
import {exists, makeFolder, provisionCertificate, writeFileAtomic} from './tls/index.js';

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
  /** Stops the devices, then the server. */
  stop(): Promise<void>;
}

export interface QuickstartFiles {
  serverConfig: string;
  deviceConfig: string;
  ca: string;
}

const STEP_LIMIT_MS = 30_000;
const HEARTBEAT_MS = 1000;
const SHOWN_HEARTBEATS = 10;
/** Where a quickstart listens if it can, so that the files it leaves fit the next run. */
const PREFERRED_PORT = 7443;
const PREFERRED_OBSERVE_PORT = 9090;
const COIN_MS = 150;
const COINS = 5;

/**
 * From nothing to coins: makes an authority, certificates and a configuration, starts a server, connects simulated
 * devices over TLS 1.3 with client certificates, and pays out one coin order. A step that fails ends the flow; it is
 * in `steps`. What was started runs until `stop`.
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
  let files: QuickstartFiles = {serverConfig: '', deviceConfig: '', ca: ''};

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
      config: deviceConfig(options.dir, name, server?.address.port ?? 0),
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
    const ports = await step('certificates and configuration', async () => {
      const found = {
        link: await freePort(PREFERRED_PORT),
        observe: await freePort(PREFERRED_OBSERVE_PORT),
      };
      files = await prepare(options.dir, names, found);
      tell(
        'quickstart',
        'event',
        'prepared',
        `authority, ${names.length + 1} certificates and configuration in ${options.dir}`,
      );
      return found;
    });
    server = await step('server', async () => {
      const log = createLog({level: 'error', format: 'auto'});
      const starting = new PaynetServer(serverConfig(options.dir, ports), {log});
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
      const orderId = `quickstart-${Date.now()}`;
      tell('server', 'event', 'order', `${orderId}: ${COINS} coins for ${first}`);
      const order = await server!.coin({deviceId: first, orderId, coins: COINS, timeoutSeconds: 20});
      if (order.state !== 'done')
        throw new PaynetError('ORDER_FAILED', `the order ended ${order.state}: ${order.error}`);
      const answer = await devices[0]!.client.query(orderId);
      tell(
        'server',
        'event',
        'paid out',
        `${orderId}: ${order.state}, ${answer.progress} %, ${order.attempts} attempt`,
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
    async stop() {
      await Promise.all(devices.map((device) => device.stop()));
      await server?.stop();
    },
  };
}

async function prepare(dir: string, names: readonly string[], ports: Ports): Promise<QuickstartFiles> {
  await makeFolder(dir, 'public');
  if (!(await exists(join(dir, 'localhost.crt')))) {
    await provisionCertificate({cn: 'localhost', usage: 'server', outDir: dir, sans: ['127.0.0.1', '::1']});
  }
  for (const cn of names) {
    if (!(await exists(join(dir, `${cn}.crt`)))) await provisionCertificate({cn, usage: 'device', outDir: dir});
  }
  const serverFile = join(dir, 'config.yaml');
  const deviceFile = join(dir, `${names[0]}.yaml`);
  await writeFileAtomic(serverFile, serverYaml(ports), {mode: 0o644, overwrite: true});
  await writeFileAtomic(deviceFile, deviceYaml(names[0]!, ports), {mode: 0o644, overwrite: true});
  return {serverConfig: serverFile, deviceConfig: deviceFile, ca: join(dir, 'ca.crt')};
}

interface Ports {
  link: number;
  observe: number;
}

const WRITTEN_BY = '# Written by `paynetctl quickstart` at every start: copy it before you change it.\n';

function serverYaml({link, observe}: Ports): string {
  return `${WRITTEN_BY}server:
  addr: "127.0.0.1:${link}"
  max_frame: 65535
  heartbeat_expect: 70s
  tls:
    cert: localhost.crt
    key: localhost.key
    client_ca: ca.crt
    mutual_auth: true
observe:
  addr: "127.0.0.1:${observe}"
`;
}

function deviceYaml(name: string, {link}: Ports): string {
  return `${WRITTEN_BY}client:
  addr: "127.0.0.1:${link}"
  tls:
    ca: ca.crt
    cert: ${name}.crt
    key: ${name}.key
  reconnect:
    base: 1s
    max: 64s
  heartbeat_send: 60s
`;
}

function serverConfig(dir: string, {link, observe}: Ports): ConfigInput {
  return {
    server: {
      addr: `127.0.0.1:${link}`,
      drain_timeout: '1s',
      tls: {cert: join(dir, 'localhost.crt'), key: join(dir, 'localhost.key'), client_ca: join(dir, 'ca.crt')},
    },
    observe: {addr: `127.0.0.1:${observe}`},
  };
}

function deviceConfig(dir: string, name: string, port: number): ConfigInput {
  return {
    client: {
      addr: `127.0.0.1:${port}`,
      tls: {ca: join(dir, 'ca.crt'), cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`)},
      heartbeat_send: HEARTBEAT_MS,
    },
  };
}

/** `wanted` when it is free on loopback, else a port that is. */
function freePort(wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (wanted === 0 ? reject(error) : resolve(freePort(0))));
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function within<T>(work: Promise<T>, name: string, signal: AbortSignal): Promise<T> {
  let end = (): void => {};
  const limit = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => {
      reject(new PaynetError('STEP_TIMEOUT', `"${name}" did not end within ${STEP_LIMIT_MS / 1000} s`));
    }, STEP_LIMIT_MS);
    const onAbort = (): void => reject(new PaynetError('ABORTED', 'interrupted'));
    signal.addEventListener('abort', onAbort, {once: true});
    end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    end();
  }
}
