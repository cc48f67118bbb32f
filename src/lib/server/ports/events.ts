import type {EventInfo, EventsPort} from '../../api/index.js';
import {eventListing, eventsOfOrder, replayEvents} from '../../events/index.js';
import type {EventRow, EventState, Store} from '../../store/index.js';
import {rangeOf} from './page.js';

export interface EventsPortOptions {
  store: Store;
  /** There is something to send. */
  wake(): void;
  now: () => number;
}

/** Far more than any order has. */
const EVENTS_OF_ORDER = 1000;

/** Events as the HTTP interface has them. */
export function eventsPort({store, wake, now}: EventsPortOptions): EventsPort {
  return {
    async ofOrder(orderNo) {
      return (await eventsOfOrder(store, orderNo, 0, EVENTS_OF_ORDER)).map(eventInfo);
    },
    async list({deviceId, status, eventType, ...page}) {
      const filter = {deviceId, state: status as EventState | undefined, type: eventType};
      const [rows, total] = await Promise.all([
        eventListing.page(store, filter, rangeOf(page)),
        eventListing.count(store, filter),
      ]);
      return {items: rows.map(eventInfo), total};
    },
    async replay(eventIds) {
      await store.run(replayEvents, {eventIds, at: now()});
      wake();
    },
  };
}

function eventInfo(row: EventRow): EventInfo {
  return {
    eventId: row.event_id,
    eventType: row.type,
    orderNo: row.order_no,
    deviceId: row.device_id,
    sequenceNo: row.sequence,
    status: row.state,
    retryCount: Math.max(row.attempts - 1, 0),
    createdAt: row.created_at,
    pushedAt: row.pushed_at,
    errorMessage: row.error,
    data: JSON.parse(row.data),
  };
}
