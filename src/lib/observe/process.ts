import {counter, type Exported, gauge} from './exported.js';

/**
 * The usual figures of the process, under their usual names. prom-client's own set is not used: its event-loop and garbage-collection watchers
 * cannot be stopped, and with 50,000 connections its count of descriptors would list a folder of as many entries, on
 * the main thread, at every scrape.
 */
export function processMetrics(): Exported[] {
  const startedAt = Math.round(Date.now() / 1000 - process.uptime());
  const cpu = (part: 'user' | 'system') => process.cpuUsage()[part] / 1e6;
  const memory = process.memoryUsage;
  return [
    counter('process_cpu_seconds_total', 'CPU time used, in seconds.', () => cpu('user') + cpu('system')),
    counter('process_cpu_user_seconds_total', 'CPU time used by the program, in seconds.', () => cpu('user')),
    counter('process_cpu_system_seconds_total', 'CPU time used by the system for it, in seconds.', () => cpu('system')),
    gauge('process_resident_memory_bytes', 'Memory of this process.', () => memory.rss()),
    gauge('process_start_time_seconds', 'When this process started, in Unix time.', () => startedAt),
    gauge('nodejs_heap_size_total_bytes', 'Size of the heap.', () => memory().heapTotal),
    gauge('nodejs_heap_size_used_bytes', 'What is used of the heap.', () => memory().heapUsed),
    gauge('nodejs_external_memory_bytes', 'Memory outside the heap that its objects hold.', () => memory().external),
    {
      name: 'nodejs_version_info',
      help: 'Version of Node.js.',
      type: 'gauge',
      read: () => [{labels: {version: process.version}, value: 1}],
    },
  ];
}
