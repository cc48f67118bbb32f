/** What can be seen of a running program: its log, its figures, its health. */
export {createLinkCounters, type LinkCounters} from './counters.js';
export {counter, type Exported, gauge, histogram, labelled, tally} from './exported.js';
export {Histogram} from './histogram.js';
export {type Health, type ObserveServer, type ObserveServerOptions, startObserveServer} from './http.js';
export {createLog, type Log, type LogDestination, type LogOptions} from './log.js';
export {createMetrics, type Metrics, type WatchedCertificate} from './metrics.js';
export {type RateLimitedLog, type RateLimitOptions, rateLimitedLog} from './rate-limited-log.js';
export {createTally, type Tally} from './tally.js';
export {escapeJson, printable} from './text.js';
