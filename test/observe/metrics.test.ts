import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {createLinkCounters, createMetrics, createTally, Histogram} from '../../src/lib/observe/index.js';
import type {CloseReason, SessionCounters, TrafficCounters} from '../../src/lib/session/index.js';
import {parseExposition, sampleOf} from './exposition.js';

const run = promisify(execFile);
const opened: {close(): void}[] = [];

afterEach(() => {
  for (const metrics of opened.splice(0)) metrics.close();
});

function metricsOf(counters = createLinkCounters()) {
  const metrics = createMetrics(counters);
  opened.push(metrics);
  return {metrics, counters, read: async () => parseExposition(await metrics.text())};
}

describe('metrics', () => {
  it('export what was counted', async () => {
    const {metrics, counters, read} = metricsOf();
    counters.connections = 3;
    counters.sessionsOnline = 2;
    counters.connectionsTotal = 9;
    counters.framesIn += 5;
    counters.framesOut += 4;
    counters.bytesIn += 100;
    counters.bytesOut += 2 ** 40;
    counters.handshakesFull++;
    counters.handshakesResumed += 2;
    counters.handlerErrors++;
    counters.refused.count('per_address');
    counters.logins.count('ok');
    counters.registrations.count('exists');
    counters.frameError('too_long');
    counters.handshakeFailures.count('expired');
    counters.closed.count('heartbeat_timeout');
    counters.command('coin', 'done');
    metrics.watchDispatcher(() => ({running: 7, waiting: 8}));

    const families = await read();
    const expected: [string, Record<string, string>, number][] = [
      ['paynet_connections', {}, 3],
      ['paynet_sessions_online', {}, 2],
      ['paynet_connections_total', {}, 9],
      ['paynet_frames_total', {direction: 'in'}, 5],
      ['paynet_frames_total', {direction: 'out'}, 4],
      ['paynet_bytes_total', {direction: 'in'}, 100],
      ['paynet_bytes_total', {direction: 'out'}, 2 ** 40],
      ['paynet_handshakes_total', {kind: 'full'}, 1],
      ['paynet_handshakes_total', {kind: 'resumed'}, 2],
      ['paynet_handler_errors_total', {}, 1],
      ['paynet_connections_refused_total', {reason: 'per_address'}, 1],
      ['paynet_logins_total', {result: 'ok'}, 1],
      ['paynet_registrations_total', {result: 'exists'}, 1],
      ['paynet_frame_errors_total', {reason: 'too_long'}, 1],
      ['paynet_handshake_failures_total', {reason: 'expired'}, 1],
      ['paynet_closed_total', {reason: 'heartbeat_timeout'}, 1],
      ['paynet_commands_total', {kind: 'coin', result: 'done'}, 1],
      ['paynet_dispatcher_running', {}, 7],
      ['paynet_dispatcher_waiting', {}, 8],
    ];
    for (const [name, labels, value] of expected)
      expect([name, sampleOf(families, name, labels)]).toEqual([name, value]);
  });

  it('are valid and complete before anything happened', async () => {
    const families = await metricsOf().read();
    for (const [name, {samples}] of families) {
      if (name !== 'paynet_certificate_expiry_seconds') expect([name, samples.length]).not.toEqual([name, 0]);
    }
    expect(families.get('paynet_event_loop_delay_seconds')?.samples.map(({labels}) => labels.quantile)).toEqual([
      'p50',
      'p99',
      'max',
    ]);
    expect(sampleOf(families, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  });

  it('have the size that they had, whatever labels are counted', async () => {
    const {counters, read} = metricsOf();
    const size = async () => [...(await read()).values()].flatMap(({samples}) => samples).length;
    const before = await size();
    fc.assert(
      fc.property(fc.string(), (label) => {
        for (const tally of [counters.refused, counters.logins, counters.closed, counters.handshakeFailures])
          tally.count(label);
        counters.frameError(label);
        counters.command(label, label);
      }),
    );
    counters.closed.count('__proto__');
    expect(await size()).toBe(before);
    expect(sampleOf(await read(), 'paynet_closed_total', {reason: 'other'})).toBeGreaterThan(0);
  });

  it('keep apart for two servers in one process', async () => {
    const [one, two] = [metricsOf(), metricsOf()];
    one.counters.framesIn = 5;
    expect(sampleOf(await two.read(), 'paynet_frames_total', {direction: 'in'})).toBe(0);
  });

  it('tell the time that certificates have left, with harmless labels', async () => {
    const {metrics, read} = metricsOf();
    metrics.watchCertificates([
      {file: 'server.crt', subject: 'CN=a"b\\c\nd\x1b', notAfter: Date.now() + 3_600_000},
      {file: 'old.crt', subject: 'CN=old', notAfter: Date.now() - 1000},
    ]);
    const samples = (await read()).get('paynet_certificate_expiry_seconds')?.samples ?? [];
    expect(samples.map(({labels}) => labels.file)).toEqual(['server.crt', 'old.crt']);
    expect(samples[0]?.labels.subject).toBe('CN=a\\"b\\\\c\\\\x0ad\\\\x1b');
    expect(samples[0]?.value).toBeGreaterThan(3500);
    expect(samples[0]?.value).toBeLessThanOrEqual(3600);
    expect(samples[1]?.value).toBeLessThan(0);
    metrics.watchCertificates([]);
    expect((await read()).get('paynet_certificate_expiry_seconds')?.samples).toEqual([]);
  });

  it('leave nothing that keeps the process alive, and can be closed twice', async () => {
    const program = `
      import {createMetrics} from './src/lib/observe/index.js';
      const metrics = createMetrics();
      await metrics.text();
      metrics.close();
      metrics.close();
      process.stdout.write(process.getActiveResourcesInfo().filter((name) => /timer|timeout/i.test(name)).join());`;
    const flags = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '-e', program];
    expect((await run(process.execPath, flags)).stdout).toBe('');
  });
});

describe('the counters of the link', () => {
  it('are what a session counts with', () => {
    const counters: TrafficCounters & SessionCounters = createLinkCounters();
    counters.frameError('empty');
    expect(counters.framesIn).toBe(0);
  });

  it('know every reason for which a connection ends', () => {
    const reasons: Record<CloseReason, true> = {
      peer_closed: true,
      connection_error: true,
      login_timeout: true,
      heartbeat_timeout: true,
      slow_reader: true,
      frame_error: true,
      protocol_unknown: true,
      replaced: true,
      kicked: true,
      certificate_revoked: true,
      shutdown: true,
      stopped: true,
      internal_error: true,
    };
    const {closed} = createLinkCounters();
    for (const reason of Object.keys(reasons)) closed.count(reason);
    expect(Object.fromEntries(closed.entries()).other).toBe(0);
  });

  it('a tally counts what it knows, and the rest as "other"', () => {
    const tally = createTally(['a', 'b']);
    for (const label of ['a', 'a', 'x', 'other', 'constructor']) tally.count(label);
    expect([...tally.entries()]).toEqual([
      ['a', 2],
      ['b', 0],
      ['other', 3],
    ]);
  });
});

describe('a histogram', () => {
  it('is exported as Prometheus has it: cumulative, with sum and count', async () => {
    const {counters, read} = metricsOf();
    const {bounds} = counters.handshakeSeconds;
    const values = [0, bounds[0]!, bounds[0]! + 1e-9, 3, 1e9];
    for (const value of values) counters.handshakeSeconds.observe(value);
    const families = await read();
    const buckets =
      families.get('paynet_handshake_seconds')?.samples.filter(({name}) => name.endsWith('_bucket')) ?? [];
    expect(buckets.map(({labels}) => labels.le)).toEqual([...bounds.map(String), '+Inf']);
    expect(buckets[0]?.value).toBe(2);
    expect(buckets.at(-1)?.value).toBe(5);
    expect(sampleOf(families, 'paynet_handshake_seconds_count')).toBe(5);
    expect(sampleOf(families, 'paynet_handshake_seconds_sum')).toBe(values.reduce((sum, value) => sum + value));
  });

  it('counts every value once, where it belongs, and leaves out what is none', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const histogram = new Histogram([0.1, 1, 10]);
        for (const value of values) histogram.observe(value);
        const good = values.filter((value) => value >= 0 && value < Number.POSITIVE_INFINITY);
        const between = (low: number, high: number) => good.filter((value) => value > low && value <= high).length;
        expect([...histogram.counts]).toEqual([
          between(-1, 0.1),
          between(0.1, 1),
          between(1, 10),
          between(10, Number.MAX_VALUE),
        ]);
      }),
    );
  });
});
