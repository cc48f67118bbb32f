import type {Figures} from '../../api/index.js';
import {countEvents} from '../../events/index.js';
import {orderListing} from '../../orders/index.js';
import {deadListing} from '../../outbound/index.js';
import type {Store} from '../../store/index.js';
import type {Business} from '../business.js';

/** The figures of this moment; what is counted in the store is counted up to 10,000. */
export async function readStats(parts: {store: Store; business: Business}): Promise<Figures> {
  const {store, business} = parts;
  const [devices, open, dead, events] = await Promise.all([
    business.devices.count(),
    orderListing.count(store, {open: 1}),
    deadListing.count(store, {}),
    countEvents(store),
  ]);
  const {pushed = 0, failed = 0, inFlight = 0} = business.sender?.stats ?? {};
  const {operations, transactions} = store.figures;
  return {
    devices,
    orders: {open, waiting: business.coins.queued},
    queue: {dead},
    events: {waiting: events.waiting, dead: events.dead, pushed, failed, inFlight},
    store: {operations, transactions},
    process: {uptimeSeconds: Math.floor(process.uptime())},
  };
}
