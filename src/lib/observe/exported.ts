import type {Metric, Registry} from 'prom-client';
import type {Histogram} from './histogram.js';
import type {Tally} from './tally.js';

export interface Sample {
  labels?: Record<string, string>;
  value: number;
  /** When it differs from the metric's, as in a histogram. */
  metricName?: string;
}

/** A metric whose figures live elsewhere and are read when somebody asks. */
export interface Exported {
  name: string;
  help: string;
  type: 'counter' | 'gauge' | 'histogram';
  read(): Iterable<Sample>;
}

/** Registers metrics that are only read, so that counting needs no call of prom-client. */
export function register(registry: Registry, metrics: Iterable<Exported>): void {
  for (const {name, help, type, read} of metrics) {
    // All that a registry asks of a metric is its name and this method.
    const metric = {name, help, type, get: () => ({name, help, type, values: [...read()], aggregator: 'sum'})};
    registry.registerMetric(metric as unknown as Metric);
  }
}

export function counter(name: string, help: string, read: () => number): Exported {
  return {name, help, type: 'counter', read: () => [{value: read()}]};
}

export function gauge(name: string, help: string, read: () => number): Exported {
  return {name, help, type: 'gauge', read: () => [{value: read()}]};
}

/** One counter with a label, from a tally or from named readings. */
export function labelled(
  name: string,
  help: string,
  label: string,
  entries: () => Iterable<[string, number]>,
): Exported {
  return {
    name,
    help,
    type: 'counter',
    read: () => Array.from(entries(), ([text, value]) => ({labels: {[label]: text}, value})),
  };
}

export function tally(name: string, help: string, label: string, source: Tally): Exported {
  return labelled(name, help, label, () => source.entries());
}

export function histogram(name: string, help: string, source: Histogram): Exported {
  return {name, help, type: 'histogram', read: () => histogramSamples(name, source)};
}

function* histogramSamples(name: string, source: Histogram): Iterable<Sample> {
  let total = 0;
  for (const [index, bound] of [...source.bounds, Number.POSITIVE_INFINITY].entries()) {
    total += source.counts[index] ?? 0;
    yield {
      metricName: `${name}_bucket`,
      labels: {le: bound === Number.POSITIVE_INFINITY ? '+Inf' : String(bound)},
      value: total,
    };
  }
  yield {metricName: `${name}_sum`, value: source.sum};
  yield {metricName: `${name}_count`, value: total};
}
