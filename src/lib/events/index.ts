/** What is told to the merchant: the outbox that is written with every change, signed webhooks, replay. */
export {appendDeviceEvent, appendEvent, type DeviceEvent, type OrderEvent} from './outbox.js';
export {countEvents, type EventCounts, type EventFilter, eventsOfOrder, findEvent, listEvents} from './reading.js';
export {replayDead, replayEvent, replayOrder} from './replay.js';
export {createSchedule, type Schedule} from './schedule.js';
export {
  type EventCounters,
  type EventEndpoint,
  type EventSender,
  type EventSenderOptions,
  type EventSenderStats,
  startEventSender,
} from './sender.js';
export {type SignedRequest, signRequest} from './signature.js';
export {checkTarget, type TargetRules} from './target.js';
