import {z} from 'zod';
import {
  address,
  byteOf,
  choice,
  duration,
  flag,
  hostName,
  integer,
  path,
  pem,
  pemList,
  postgresUrl,
  redisUrl,
  secrets,
  secretText,
  texts,
  tlsVersion,
  webUrl,
} from './leaf.js';

/*
 * The one schema of file, environment and flags. Keys are those of the file.
 *
 * Bounds of durations: 50ms is below any real network's round trip, so less would drop every device; the upper ends
 * keep a mistyped unit (70m for 70s) from holding dead connections or a stopping server for hours.
 */

const limits = z.strictObject({
  max_connections: integer(1, 1_000_000).default(50_000).describe('open connections'),
  per_address: integer(1, 1_000_000).default(200).describe('open connections from one IP address'),
  per_certificate: integer(1, 1000)
    .default(2)
    .describe('open connections of one certificate; 2 leaves room for a takeover'),
  accept_rate: integer(1, 1_000_000).default(500).describe('new connections per second'),
  accept_burst: integer(1, 1_000_000).default(1000).describe('new connections at once'),
  handshakes: integer(1, 100_000).default(100).describe('handshakes in flight at once'),
  messages_per_second: integer(0, 1_000_000)
    .default(50)
    .describe('messages of one connection per second; 0 is no limit'),
  message_burst: integer(1, 1_000_000).default(200).describe('messages of one connection at once'),
  write_buffer: integer(1024, 1_073_741_824).default(262_144).describe('bytes that may wait for one slow reader'),
});

const serverTls = z
  .strictObject({
    cert: pem('the server certificate').describe('server certificate, its chain after it'),
    key: pem('the key of server.tls.cert', {secret: true}).describe('key of the certificate'),
    client_ca: pem('the CA certificate of the devices').optional().describe('CA of the device certificates'),
    crl: pemList('a revocation list').optional().describe('revocation lists'),
    mutual_auth: flag().default(true).describe('devices must show a certificate'),
    min_version: tlsVersion().prefault('1.3').describe('oldest TLS version; 1.2 only for old modems'),
    session_tickets: flag().default(true).describe('devices may resume a TLS session'),
  })
  .refine((tls) => tls.mutual_auth !== true || tls.client_ca !== undefined, {
    path: ['client_ca'],
    error: 'is required while server.tls.mutual_auth is true: the path of the CA certificate of the devices',
    when: () => true,
  });

const server = z.strictObject({
  addr: address().default(':443').describe('address of the device link'),
  max_frame: integer(1, 16_777_216).default(65_535).describe('largest value of a frame length, in bytes'),
  heartbeat_expect: duration('50ms', '1h').prefault('70s').describe('silence after which a device is disconnected'),
  login_timeout: duration('50ms', '5m').prefault('10s').describe('time from handshake to login'),
  handshake_timeout: duration('50ms', '2m').prefault('10s').describe('time from TCP connection to TLS session'),
  drain_timeout: duration('50ms', '10m').prefault('10s').describe('time over which a stopping server closes devices'),
  query_rsp_type: byteOf(0x05, 0x85).prefault(0x05).describe('type of the answers to queries'),
  limits: limits.prefault({}),
  tls: serverTls,
});

const clientTls = z
  .strictObject({
    ca: pem('the CA certificate of the server').describe('CA of the server certificate'),
    cert: pem('the device certificate').optional().describe('device certificate'),
    key: pem('the key of client.tls.cert', {secret: true}).optional().describe('key of the certificate'),
    min_version: tlsVersion().prefault('1.3').describe('oldest TLS version'),
  })
  .refine((tls) => tls.cert === undefined || tls.key !== undefined, {
    path: ['key'],
    error: 'is required together with client.tls.cert',
    when: () => true,
  })
  .refine((tls) => tls.key === undefined || tls.cert !== undefined, {
    path: ['cert'],
    error: 'is required together with client.tls.key',
    when: () => true,
  });

const reconnect = z
  .strictObject({
    base: duration('10ms', '1h').prefault('1s').describe('longest first pause; each further one doubles'),
    max: duration('10ms', '24h').prefault('64s').describe('longest pause of all'),
  })
  // A value that failed its own check is no number here and was reported already.
  .refine(({base, max}) => typeof base !== 'number' || typeof max !== 'number' || max >= base, {
    path: ['max'],
    error: 'must not be shorter than client.reconnect.base',
    when: () => true,
  });

const client = z.strictObject({
  addr: address({remote: true}).describe('address of the server'),
  server_name: hostName().optional().describe('name to expect in the certificate, when it is not that of the address'),
  tls: clientTls,
  reconnect: reconnect.prefault({}),
  heartbeat_send: duration('50ms', '1h').prefault('60s').describe('pause between heartbeats'),
  connect_timeout: duration('50ms', '5m').prefault('10s').describe('time for TCP and TLS together'),
  max_frame: integer(1, 16_777_216).default(65_535).describe('largest value of a frame length, in bytes'),
  query_rsp_type: byteOf(0x05, 0x85).prefault(0x05).describe('type of the answers to queries'),
});

const idempotency = z
  .strictObject({
    backend: choice('memory', 'redis').default('memory').describe('where executed order ids are remembered'),
    dsn: redisUrl().optional().describe('address of Redis, with its password'),
  })
  .refine(({backend, dsn}) => backend !== 'redis' || dsn !== undefined, {
    path: ['dsn'],
    error: 'is required while idempotency.backend is redis: redis://[user:password@]host[:port][/number]',
    when: () => true,
  });

const store = z
  .strictObject({
    engine: choice('sqlite', 'postgres').default('sqlite').describe('where orders, commands and events last'),
    path: path('the database file', {beside: 'paynet.db'}).optional().describe('database file of SQLite'),
    dsn: postgresUrl().optional().describe('address of PostgreSQL, with its password'),
    pool: integer(1, 1000).default(8).describe('connections to PostgreSQL'),
  })
  .refine(({engine, dsn}) => engine !== 'postgres' || dsn !== undefined, {
    path: ['dsn'],
    error: 'is required while store.engine is postgres: postgres://user:password@host[:port]/database',
    when: () => true,
  });

const api = z.strictObject({
  addr: address({orOff: true}).default(':7055').describe('address of the HTTP interface, or "off"'),
  require_hmac: flag().default(true).describe('requests must be signed'),
  master_key: path('the file of the master key', {beside: 'paynet.key'})
    .optional()
    .describe('key that keeps the secrets of API keys'),
  trust_proxy: texts('the address or network of a proxy')
    .optional()
    .describe('proxies whose X-Forwarded-For is believed'),
  rate: integer(1, 1_000_000).default(20_000).describe('requests per second in all, and at once'),
  rate_per_key: integer(1, 1_000_000).optional().describe('requests per second of one key'),
});

const events = z
  .strictObject({
    url: webUrl().optional().describe('where events are posted to'),
    secret: secrets('the secret of the webhook').optional().describe('signs the webhook; two while it is changed'),
    api_key: secretText('the key for X-Api-Key').optional().describe('sent as X-Api-Key'),
    ca: pem('the CA certificate of the receiver').optional().describe('CA of the receiver, beside those of the system'),
    allow_private: flag().default(false).describe('the receiver may have a private address'),
    allow_http: flag().default(false).describe('events may be posted without TLS'),
    fast_retries: integer(0, 20).default(5).describe('attempts after 1, 2, 4, 8, 16 s, before the slow ones'),
    give_up_after: duration('1m', '480h').prefault('72h').describe('time after which an event is a dead letter'),
  })
  .refine(({url, secret}) => url === undefined || secret !== undefined, {
    path: ['secret'],
    error: 'is required together with events.url: 16 characters or more that only you and the receiver know',
    when: () => true,
  });

const session = z.strictObject({
  timeout: duration('1s', '1h').prefault('60s').describe('silence after which a device counts as offline'),
  timeout_override: z
    .strictObject({paynet: duration('1s', '1h').prefault('150s').describe('the same for payment boxes')})
    .prefault({}),
  freshness: choice('graded', 'step').default('graded').describe('how silence lowers the online score'),
});

export const schema = z.strictObject({
  server: server.optional(),
  frame: z
    .strictObject({length: choice('type+payload', 'payload').default('type+payload').describe('what Len counts')})
    .prefault({}),
  dispatcher: z
    .strictObject({
      workers: integer(1, 100_000).default(32).describe('messages handled at once'),
      queue: integer(1, 10_000_000).default(2048).describe('messages waiting; then reading stops'),
    })
    .prefault({}),
  idempotency: idempotency.prefault({}),
  auth: z
    .strictObject({
      bind_certificate: flag().default(true).describe('device ids must belong to the certificate'),
      devices: path('the list of devices that may register').optional().describe('list of devices that may register'),
      allow_unverified: flag().default(false).describe('devices may log in without any check: for tests only'),
    })
    .prefault({}),
  observe: z
    .strictObject({
      addr: address({orOff: true}).default(':9090').describe('address of metrics and health, or "off"'),
      log_level: choice('debug', 'info', 'warn', 'error').default('info').describe('least level that is logged'),
      log_format: choice('auto', 'json', 'pretty').default('auto').describe('auto: pretty on a terminal, else JSON'),
    })
    .prefault({}),
  store: store.prefault({}),
  api: api.prefault({}),
  events: events.prefault({}),
  orders: z
    .strictObject({
      keep: duration('0s', '24h')
        .prefault('0s')
        .describe('how long an order waits for an offline device unless it says so itself; 0s refuses it'),
    })
    .prefault({}),
  session: session.prefault({}),
  hooks: z
    .strictObject({module: path('a module with hooks').optional().describe('own decisions: a module of the project')})
    .prefault({}),
  client: client.optional(),
});

/** What a program or a file gives: everything that has a default may be left out. */
export type ConfigInput = z.input<typeof schema>;
/** What the rest of the program reads: complete, checked, frozen; durations are milliseconds. */
export type Config = z.output<typeof schema>;
export type ServerConfig = NonNullable<Config['server']>;
export type ClientConfig = NonNullable<Config['client']>;
/** The section that a program cannot do without. */
export type Need = 'server' | 'client';
export type ConfigFor<N extends Need> = Config & Required<Pick<Config, N>>;

/** The schema of the file as JSON Schema (draft 2020-12), for editors and other tools. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(schema, {io: 'input'});
}
