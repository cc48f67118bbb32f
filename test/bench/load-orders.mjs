// A load generator: merchants who order over HTTP, and the boxes that execute the orders.
import {readFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {setTimeout as wait} from 'node:timers/promises';
import {answerCommands} from './answer.mjs';
import {serveAsBox} from './box.mjs';
import {connect} from './connection.mjs';
import {deviceContexts, deviceName} from './devices.mjs';
import {each} from './each.mjs';
import {greet} from './greet.mjs';
import {HttpConnection, headersOf} from './http-client.mjs';
import {cpu} from './process-figures.mjs';

const {dir, caFile} = JSON.parse(process.argv[2]);
const contextOf = deviceContexts(dir, readFileSync(caFile, 'utf8'));
const ORDERS = '/api/v1/coin-orders';
const sites = {bare: site(), product: site()};
/** Who waits for the end of an order. */
const open = new Map();
let lastOrder = 0;

function site() {
  return {boxes: 0, sockets: [], framed: undefined, next: 0};
}

/** Servers tell here which orders are over and durable, one number a line. */
const told = createServer((socket) => {
  let rest = '';
  socket.setEncoding('latin1').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const orderNo of lines) {
      open.get(orderNo)?.();
      open.delete(orderNo);
    }
  });
  socket.on('error', () => {});
});
await new Promise((resolve) => told.listen({host: '127.0.0.1', port: 0}, resolve));

/** Connects boxes to a server, and opens connections to its HTTP interface. */
async function openSite({server, port, http, count, sockets, parallel = 32}) {
  const here = sites[server];
  await each(0, count, parallel, async (device) => {
    const connection = await connect({port, device, context: contextOf(device)});
    await greet(connection, server);
    serveAsBox(connection, {
      accept: server === 'product',
      framed: () => here.framed?.(),
    });
  });
  here.boxes = count;
  here.sockets = await Promise.all(Array.from({length: sockets}, () => HttpConnection.open(http)));
}

/** Posts an order and waits until it is over; resolves with the milliseconds to the answer and to the end. */
async function order(here, socket, credentials) {
  const orderNo = `b${process.pid}-${++lastOrder}`;
  const device = deviceName(here.next++ % here.boxes);
  const body = JSON.stringify({order_no: orderNo, device_id: device, coins: 3, timeout_seconds: 60});
  const headers = headersOf(credentials, 'POST', ORDERS, body);
  const over = new Promise((resolve) => open.set(orderNo, resolve));
  const began = performance.now();
  const {status, body: text} = await socket.request('POST', ORDERS, headers, body);
  const answered = performance.now() - began;
  if (status !== 202) throw new Error(`an order was answered with ${status}: ${text}`);
  await over;
  return {answered, over: performance.now() - began};
}

/** Every connection orders, waits until the order is over, and orders again, for `ms`. */
async function orders({server, credentials, ms}) {
  const here = sites[server];
  const began = performance.now();
  const answers = [];
  const ends = [];
  await Promise.all(
    here.sockets.map(async (socket) => {
      while (performance.now() - began < ms) {
        const {answered, over} = await order(here, socket, credentials);
        answers.push(answered);
        ends.push(over);
      }
    }),
  );
  return {orders: answers.length, ms: performance.now() - began, answers, ends};
}

/** One order after the other with a pause: the milliseconds from its posting to the first byte at the box. */
async function oneByOne({server, credentials, count, pauseMs}) {
  const here = sites[server];
  const frames = [];
  for (let at = 0; at < count; at++) {
    const began = performance.now();
    here.framed = () => frames.push(performance.now() - began);
    await order(here, here.sockets[0], credentials);
    here.framed = undefined;
    await wait(pauseMs);
  }
  return frames;
}

/** Every connection gets one of the paths, again and again, for `ms`. */
async function reads({server, credentials, paths, ms}) {
  const {sockets} = sites[server];
  const began = performance.now();
  let answers = 0;
  await Promise.all(
    sockets.map(async (socket) => {
      while (performance.now() - began < ms) {
        const path = paths[answers++ % paths.length];
        const {status, body} = await socket.request('GET', path, headersOf(credentials, 'GET', path));
        if (status !== 200) throw new Error(`${path} was answered with ${status}: ${body}`);
      }
    }),
  );
  return {answers, ms: performance.now() - began};
}

answerCommands({cpu, toldAt: () => ({port: told.address().port}), open: openSite, orders, oneByOne, reads});
