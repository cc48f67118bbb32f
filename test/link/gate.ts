import {EventEmitter, once} from 'node:events';
import type {ConnectionOptions} from 'node:tls';
import {onTestFinished} from 'vitest';
import type {FrameFormat} from '../../src/lib/frame/index.js';
import type {DeviceEvent} from '../../src/lib/link/index.js';
import type {LinkCounters, Log} from '../../src/lib/observe/index.js';
import type {PaynetServer} from '../../src/lib/server.js';
import {openSite, type Site, type SiteOptions} from '../e2e/site.js';
import {RawClient} from './raw-client.js';

export interface Line {
  level: string;
  message: string;
  fields: Record<string, unknown>;
}

/** A server with everything that it logs and tells written down. */
export interface Gate extends Site {
  lines: Line[];
  events: DeviceEvent[];
  port: number;
  counters: LinkCounters;
  /** What a device with a good certificate of this name connects with. */
  pair(cn: string): Promise<ConnectionOptions>;
  dial(cn: string, tls?: ConnectionOptions, format?: FrameFormat): Promise<RawClient>;
  /** Connects and logs in. */
  device(cn: string): Promise<RawClient>;
  /** Resolves when there is such a line, or such an event. */
  untilLine(message: string, count?: number): Promise<Line>;
  untilEvent<K extends DeviceEvent['kind']>(kind: K, count?: number): Promise<Extract<DeviceEvent, {kind: K}>>;
}

/** Opens a server for one test; it is closed, and its folder removed, when the test is over. */
export async function openGate(options: SiteOptions = {}): Promise<Gate> {
  const lines: Line[] = [];
  const events: DeviceEvent[] = [];
  const news = new EventEmitter().setMaxListeners(0);
  const clients: RawClient[] = [];
  const log = recorder((line) => {
    lines.push(line);
    news.emit('news');
  });
  const site = await openSite({...options, extras: {log, ...options.extras}});
  site.server.on('device', (event) => {
    events.push(event);
    news.emit('news');
  });
  onTestFinished(async () => {
    for (const client of clients) client.destroy();
    await site.close();
  });

  async function until<T>(list: readonly T[], fits: (item: T) => boolean, count: number): Promise<T> {
    for (;;) {
      const found = list.filter(fits)[count - 1];
      if (found !== undefined) return found;
      await once(news, 'news');
    }
  }
  async function pair(cn: string): Promise<ConnectionOptions> {
    const {certificatePem, privateKeyPem} = await site.issue(cn);
    return {ca: site.authority.certificatePem, cert: certificatePem, key: privateKeyPem};
  }
  const {port} = site.server.address;
  const gate: Gate = {
    ...site,
    lines,
    events,
    port,
    counters: site.server.metrics.counters,
    pair,
    async dial(cn, tls, format) {
      const client = await RawClient.dial(port, {...(await pair(cn)), ...tls}, format);
      clients.push(client);
      return client;
    },
    async device(cn) {
      const client = await gate.dial(cn);
      await client.login(cn);
      return client;
    },
    untilLine: (message, count = 1) => until(lines, (line) => line.message === message, count),
    untilEvent: async (kind, count = 1) =>
      (await until(events, (event) => event.kind === kind, count)) as Extract<DeviceEvent, {kind: typeof kind}>,
  };
  return gate;
}

function recorder(write: (line: Line) => void): Log {
  const at = (level: string) => (fields: object, message: string) =>
    write({level, message, fields: fields as Record<string, unknown>});
  const log: Log = {debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log};
  return log;
}

/** What was counted, without the zeros. */
export function counted(
  server: PaynetServer,
  tally: 'handshakeFailures' | 'refused' | 'closed' | 'frameErrors' | 'logins' | 'registrations',
): Record<string, number> {
  return Object.fromEntries([...server.metrics.counters[tally].entries()].filter(([, count]) => count > 0));
}
