import {readFile} from 'node:fs/promises';
import type {Config} from '../config/index.js';
import {messageOf, PaynetError} from '../errors.js';
import {createSchedule, type EventSender, startEventSender} from '../events/index.js';
import {createTally, Histogram, histogram, type Log, type Metrics, tally} from '../observe/index.js';
import type {Store} from '../store/index.js';
import type {Changes} from './changes.js';

/** From a healthy receiver to the limit of an attempt, seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Starts to post events where the configuration says; undefined when it says nowhere. */
export async function startWebhook(
  config: Config['events'],
  {store, metrics, log, changes}: {store: Store; metrics: Metrics; log: Log; changes: Changes},
): Promise<EventSender | undefined> {
  const {url, secret, api_key: apiKey, ca} = config;
  if (url === undefined || secret === undefined) return undefined;
  const results = createTally(['pushed', 'failed', 'dead']);
  const seconds = new Histogram(SECONDS);
  metrics.add([
    tally('paynet_webhook_attempts_total', 'Attempts to post an event, by result.', 'result', results),
    histogram('paynet_webhook_seconds', 'How long an attempt to post an event took.', seconds),
  ]);
  return startEventSender({
    store,
    endpoint: {
      url,
      secrets: secret,
      ...(apiKey !== undefined && {apiKey}),
      ...(ca !== undefined && {ca: await pemOf(ca)}),
    },
    allowPrivate: config.allow_private,
    allowHttp: config.allow_http,
    schedule: createSchedule(config.fast_retries, config.give_up_after),
    counters: {results, seconds},
    delivered: ({result, ...delivery}) =>
      changes.tell(() => ({kind: 'event', data: {...delivery, status: result === 'failed' ? 'waiting' : result}})),
    log,
  });
}

async function pemOf(value: string): Promise<string> {
  if (value.startsWith('-----BEGIN')) return value;
  return readFile(value, 'utf8').catch((error: unknown) => {
    throw new PaynetError('EVENTS_CA', `events.ca: ${value}: ${messageOf(error)}`, {cause: error});
  });
}
