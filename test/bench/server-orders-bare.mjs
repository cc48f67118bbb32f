// The reference for orders: HTTP to a grouped durable commit, to a frame, to its ack, to another commit. No framework.
import {createServer as createHttpServer} from 'node:http';
import {createServer} from 'node:tls';
import {Worker} from 'node:worker_threads';
import {CoinAck, CoinCommand, encodeFrame} from '../../dist/index.js';
import {loadServerCredentials} from '../../dist/lib/tls/index.js';
import {answerCommands} from './answer.mjs';
import {commitOneByOne} from './commits.mjs';
import {orderCommands, orderFinished} from './finished.mjs';
import {cpu, mainThread, memory} from './process-figures.mjs';

const {tls, path} = JSON.parse(process.argv[2]);
const {options} = await loadServerCredentials(tls);
const HEADER_BYTES = 5;
const LOGIN = 0x02;
const LOGIN_ID = 2;
const COIN_COMMAND = 0x04;

const devices = new Map();
const open = new Map();
const worker = new Worker(new URL('./store-bare.mjs', import.meta.url), {workerData: path});
let outgoing = [];
let lastId = 0;

/** Calls back when it is durable. */
function store(kind, values, done) {
  open.set(++lastId, done);
  if (outgoing.length === 0) setImmediate(send);
  outgoing.push(lastId, kind, values);
}

function send() {
  worker.postMessage(outgoing);
  outgoing = [];
}

worker.on('message', (ids) => {
  for (const id of ids) {
    open.get(id)();
    open.delete(id);
  }
});

const http = createHttpServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const {order_no: orderId, device_id: device, coins, timeout_seconds: timeout} = JSON.parse(Buffer.concat(chunks));
    const socket = devices.get(device);
    if (typeof orderId !== 'string' || !(coins > 0) || !(timeout > 0) || socket === undefined) {
      response.writeHead(400).end();
      return;
    }
    store('order', [orderId, device, JSON.stringify({coins, timeout}), Date.now()], () => {
      const body = JSON.stringify({order_no: orderId, device_id: device, coins, status: 'sent'});
      response.writeHead(202, {'content-type': 'application/json', 'content-length': body.length}).end(body);
      const command = CoinCommand.create({orderId, coins, timeout});
      socket.write(encodeFrame(COIN_COMMAND, CoinCommand.encode(command).finish()));
    });
  });
});

function onData(chunk) {
  let rest = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
  while (rest.length >= HEADER_BYTES && rest.length >= 4 + rest.readUInt32BE(0)) {
    const end = 4 + rest.readUInt32BE(0);
    if (rest[4] === LOGIN) {
      // The first field is the device's id; the whole frame goes back.
      const length = rest[HEADER_BYTES + 1];
      const id = rest.toString('latin1', HEADER_BYTES + LOGIN_ID, HEADER_BYTES + LOGIN_ID + length);
      devices.set(id, this);
      this.write(rest.subarray(0, end));
    } else {
      const {orderId} = CoinAck.decode(rest.subarray(HEADER_BYTES, end));
      store('ack', [Date.now(), orderId], () => orderFinished(orderId));
    }
    rest = rest.subarray(end);
  }
  this.rest = rest.length === 0 ? undefined : rest;
}

// The socket options are those that the product's listener sets.
const server = createServer({...options, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000}, (socket) => {
  socket.on('data', onData);
  socket.on('error', () => {});
});
server.on('tlsClientError', (_, socket) => socket.destroy());
await new Promise((resolve) => worker.once('online', resolve));
await new Promise((resolve) => http.listen({host: '127.0.0.1', port: 0}, resolve));
server.listen({host: '127.0.0.1', port: 0, backlog: 1024}, () =>
  answerCommands({
    address: () => ({port: server.address().port, http: http.address().port, credentials: {key: 'none'}}),
    cpu,
    mainThread,
    memory,
    commits: ({count, pauseMs}) => commitOneByOne(`${path}-commits`, count, pauseMs),
    ...orderCommands,
  }),
);
