import {readFile} from 'node:fs/promises';
import {codeOf} from '../errors.js';
import {type Finding, ok, skipped, warning} from './finding.js';

const FILE = '/proc/sys/net/core/somaxconn';
/** What the listener asks for; the kernel silently takes less when its own limit is less. */
const WANTED = 1024;

/** The kernel's limit of connections that wait to be accepted; undefined where there is none such. */
export async function backlogLimit(): Promise<number | undefined> {
  try {
    return Number((await readFile(FILE, 'utf8')).trim());
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether devices that come back all at once find room in the queue before accept. */
export function judgeBacklog(limit: number | undefined): Finding {
  if (limit === undefined) return skipped('measured on Linux only');
  const found = `net.core.somaxconn is ${limit}`;
  if (limit >= WANTED) return ok(found);
  return warning(
    found,
    `Run: sysctl -w net.core.somaxconn=4096. Below ${WANTED} connections are lost when all devices come back at once.`,
  );
}
