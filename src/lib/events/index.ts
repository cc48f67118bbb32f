/** What is told to the merchant: the outbox that is written with every change, signed webhooks, replay. */
export {appendDeviceEvent, appendEvent, appendNumbered, type DeviceEvent, type OrderEvent} from './outbox.js';
export {type Pruned, type Pruning, pruneEvents} from './prune.js';
export {
  countEvents,
  type EventCounts,
  type EventFilter,
  eventListing,
  eventsOfOrder,
  findEvent,
} from './reading.js';
export {replayDead, replayEvent, replayEvents, replayOrder} from './replay.js';
export {createSchedule, type Schedule} from './schedule.js';
export {
  type Delivery,
  type EventCounters,
  type EventEndpoint,
  type EventSender,
  type EventSenderOptions,
  type EventSenderStats,
  startEventSender,
} from './sender.js';
export {type SignedRequest, signRequest, stringToSign} from './signature.js';
export {checkTarget, type TargetRules} from './target.js';
export {type ReceivedWebhook, verifyWebhook, type WebhookVerdict} from './verify.js';

/** What a store must load for these operations. */
export const EVENT_OPERATIONS: readonly URL[] = [
  new URL('./operations.js', import.meta.url),
  new URL('./prune.js', import.meta.url),
  new URL('./replay.js', import.meta.url),
];
