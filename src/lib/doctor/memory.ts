import {totalmem} from 'node:os';
import {type Finding, ok, warning} from './finding.js';

const KIB = 1024;
const GIB = 1024 ** 3;
/** Measured at 50,000 devices: 36 KiB each with a tuned allocator, 74 KiB on glibc after a mass reconnect. */
const DEVICE_BYTES = {tuned: 36 * KIB, plain: 74 * KIB};
/** The kernel's part of a connection is not in the process, but counts against a container's limit. */
const KERNEL_BYTES = 5 * KIB;
const BASE_BYTES = 100 * KIB * KIB;
/** The rest is for peaks: a mass reconnect, a page cache, other programs. */
const USABLE = 0.8;

export interface MemoryLimit {
  bytes: number;
  source: 'this machine' | 'this container';
}

/** What this process may use: the machine's memory, or the cgroup's limit when that is less. */
export function memoryLimit(): MemoryLimit {
  const machine = totalmem();
  const constrained = process.constrainedMemory();
  // Without a limit it is 0 or close to 2^64.
  if (constrained > 0 && constrained < machine) return {bytes: constrained, source: 'this container'};
  return {bytes: machine, source: 'this machine'};
}

/** Whether the memory is enough for so many devices. `tuned`: the allocator gives memory back. */
export function judgeMemory({bytes, source}: MemoryLimit, devices: number, tuned: boolean): Finding {
  const each = (tuned ? DEVICE_BYTES.tuned : DEVICE_BYTES.plain) + KERNEL_BYTES;
  const need = BASE_BYTES + devices * each;
  const found = `${said(bytes)} on ${source}; ${devices.toLocaleString('en')} devices need about ${said(need)}`;
  if (need <= bytes * USABLE) return ok(found);
  const room = Math.max(0, Math.floor((bytes * USABLE - BASE_BYTES) / each));
  const advice = `It is enough for about ${room.toLocaleString('en')} devices: add memory or lower server.limits.max_connections.`;
  return warning(found, tuned ? advice : `${advice} A tuned allocator halves the need.`);
}

function said(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
