// Single orders and devices over HTTP, per CPU-second of the server, against bare Fastify that answers from memory.
import {HttpConnection, headersOf} from '../http-client.mjs';
import {cpuOf, withOrders} from '../site.mjs';

const DEVICES = 100;
const ORDERS_MS = 500;
const SOCKETS = 64;
const SEGMENTS = 3;
const WARM_UP_MS = 1500;
const SEGMENT_MS = 1500;

/** Requests without signature, and with one: its nonce is stored with a commit. */
const KINDS = [
  {label: 'API key', signed: false, ratioAtLeast: 0.5},
  {label: 'API key and signature', signed: true, ratioAtLeast: 0.5},
];

export async function reads(site, {rounds}) {
  await site.issue(DEVICES);
  const rows = [];
  for (const what of ['coin-orders', 'devices']) {
    for (const {label, ratioAtLeast} of KINDS) {
      const name = `GET /api/v1/${what}/…, ${label}`;
      rows.push({label: name, unit: 'per CPU-second', bare: [], product: [], ratioAtLeast});
    }
  }
  for (let round = 1; round <= rounds; round++) {
    const config = {api: {require_hmac: false}};
    await withOrders(site, {devices: DEVICES, sockets: SOCKETS, config}, async ({product, load}) => {
      const {credentials, http} = product;
      await load.ask('orders', {server: 'product', credentials: {key: credentials.key}, ms: ORDERS_MS});
      const answers = await answersOf(http, credentials);
      const bare = await site.start('server-reads-bare.mjs', {answers});
      try {
        Object.assign(bare, {server: 'bare', ...(await bare.ask('address'))});
        await load.ask('open', {server: 'bare', http: bare.http, count: 0, sockets: SOCKETS});
        for (const [at, row] of rows.entries()) {
          const {signed} = KINDS[at % KINDS.length];
          const prefix = row.label.split(' ')[1].replace('…,', '');
          const paths = answers.map(([path]) => path).filter((path) => path.startsWith(prefix));
          for (let segment = 0; segment <= SEGMENTS; segment++) {
            for (const child of [bare, product]) {
              const secret = signed ? credentials.secret : undefined;
              const order = {server: child.server, paths, credentials: {key: credentials.key, secret}};
              const ms = segment === 0 ? WARM_UP_MS : SEGMENT_MS;
              const {answers: count, cpu} = await cpuOf(child, () => load.ask('reads', {...order, ms}));
              if (segment > 0) row[child.server].push((count * 1e6) / cpu);
            }
          }
          const say = (server) => Math.round(row[server].at(-1)).toLocaleString('en');
          site.log(`${row.label}: round ${round}/${rounds}: bare ${say('bare')}, product ${say('product')}`);
        }
      } finally {
        await bare.stop();
      }
    });
  }
  return rows;
}

/** The paths of orders and devices that there are, with what the product answers for them. */
async function answersOf(http, {key}) {
  const connection = await HttpConnection.open(http);
  const get = async (path) => JSON.parse((await connection.request('GET', path, headersOf({key}, 'GET', path))).body);
  const {orders} = (await get('/api/v1/coin-orders?page_size=100')).data;
  const paths = orders.flatMap(({order_no, device_id}) => [
    `/api/v1/coin-orders/${order_no}`,
    `/api/v1/devices/${device_id}`,
  ]);
  const answers = [];
  for (const path of new Set(paths)) answers.push([path, await get(path)]);
  connection.close();
  return answers;
}
