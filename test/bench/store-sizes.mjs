// The product's own writes and reads over a database of some size.
import {randomUUID} from 'node:crypto';
import {eventListing, eventsOfOrder} from '../../dist/lib/events/index.js';
import {orderListing, recordOf} from '../../dist/lib/orders/index.js';
import {createCoin} from '../../dist/lib/orders/operations.js';
import {dueCoins, orderByNo} from '../../dist/lib/orders/queries.js';
import {readStats} from '../../dist/lib/server/ports/stats.js';
import {openStorage} from '../../dist/lib/server/storage.js';
import {answerCommands} from './answer.mjs';
import {deviceName} from './devices.mjs';
import {fill, filledOrder} from './fill.mjs';

const {path, orders, devices} = JSON.parse(process.argv[2]);
const config = {engine: 'sqlite', path, pool: 1};
const log = {info() {}, warn() {}, error() {}, debug() {}};
// The schema is made by the store itself.
await (await openStorage(config, log)).close();
let store;
let made = 0;
const business = {devices: {count: async () => ({known: 0, online: 0})}, sender: undefined, coins: {queued: 0}};
const any = (count) => Math.floor(Math.random() * count);

const work = {
  create: () =>
    store.run(createCoin, {
      orderNo: randomUUID().replaceAll('-', ''),
      deviceId: deviceName(any(devices)),
      coins: 3,
      timeoutSeconds: 60,
      amountCent: null,
      bodyHash: String(++made),
      keepMs: 60_000,
      at: Date.now(),
    }),
  get: async () => recordOf(await store.readFirst(orderByNo, {orderNo: filledOrder(any(orders))})),
  list: () => orderListing.page(store, {deviceId: deviceName(any(devices))}, {limit: 20, offset: 0}),
  count: () => orderListing.count(store, {deviceId: deviceName(any(devices))}),
  all: () => orderListing.page(store, {}, {limit: 20, offset: 0}),
  events: () => eventsOfOrder(store, filledOrder(any(orders)), 0, 100),
  eventsOfDevice: () => eventListing.page(store, {deviceId: deviceName(any(devices))}, {limit: 20, offset: 0}),
  sweep: () => store.read(dueCoins, {at: Date.now(), limit: 500}),
  stats: () => readStats({store, business}),
};

answerCommands({
  async fill() {
    fill(path, {orders, devices});
    store = (await openStorage(config, log)).store;
  },
  /** Milliseconds of each of `count` calls. */
  async time({what, count}) {
    const times = [];
    for (let at = 0; at < count; at++) {
      const began = performance.now();
      await work[what]();
      times.push(performance.now() - began);
    }
    return times;
  },
});
