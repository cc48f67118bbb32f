import {execFile} from 'node:child_process';
import {readFile} from 'node:fs/promises';
import {promisify} from 'node:util';
import {type Finding, ok, problem, skipped, warning} from './finding.js';

/** For metrics and API connections, the database, logs, files that are read anew. */
const RESERVE = 512;
/** Below it even a small fleet and its reconnects run out. */
const LEAST = 1024;

/**
 * Whether `limit` descriptors are enough for `devices` connections. Fewer than configured is a warning: it holds until
 * so many devices are there.
 */
export function judgeDescriptors(limit: number | undefined, devices: number): Finding {
  if (limit === undefined) return skipped('the limit of open files is not known on this system');
  const need = devices + RESERVE;
  const room = Math.max(0, limit - RESERVE);
  const found = `${said(limit)} open files`;
  const advice = `Raise it to ${said(need)} (LimitNOFILE= in a systemd unit, ulimit -n, --ulimit nofile= of a container), or lower server.limits.max_connections.`;
  if (limit < LEAST) return problem(`${found}, too few for ${said(devices)} devices`, advice);
  if (limit < need) return warning(`${found}, enough for ${said(room)} devices of ${said(devices)}`, advice);
  return ok(`${found}, enough for ${said(devices)} devices`);
}

/** The limit of open files of this process, as the system has it; undefined when it cannot be known. */
export async function descriptorLimit(): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined;
  if (process.platform === 'linux') return limitIn(await readFile('/proc/self/limits', 'utf8'));
  const {stdout} = await promisify(execFile)('/bin/sh', ['-c', 'ulimit -n'], {timeout: 2000});
  return numberOf(stdout.trim());
}

/** The soft limit in the text of /proc/self/limits; Node raises it to the hard one when it starts. */
export function limitIn(text: string): number | undefined {
  return numberOf(/^Max open files\s+(\S+)/m.exec(text)?.[1]);
}

function numberOf(text: string | undefined): number | undefined {
  if (text === 'unlimited') return Number.POSITIVE_INFINITY;
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

function said(count: number): string {
  return Number.isFinite(count) ? count.toLocaleString('en') : 'any number of';
}
