import {execFile} from 'node:child_process';
import {setTimeout as sleep} from 'node:timers/promises';
import {promisify} from 'node:util';
import {type Finding, ok, problem, together, warning} from './finding.js';

const SAMPLE_MS = 250;
/** Slewing stays far below it; a busy machine's scheduler does too. */
const STEP_MS = 100;
/** This program is of 2026: an earlier clock has not been set. */
const FIRST_YEAR = 2026;
const LAST_YEAR = 2100;
const COMMAND_LIMIT_MS = 2000;

export interface ClockReading {
  /** UTC milliseconds. */
  now: number;
  /** How far the wall clock went more than the monotonic one within the sample, in milliseconds. */
  driftMs: number;
  /** Whether the time is synchronised over the network; undefined where nobody says. */
  synchronised: boolean | undefined;
}

/** Looks at both clocks for a quarter of a second, and asks systemd about synchronisation if it is there. */
export async function readClock(): Promise<ClockReading> {
  const [wall, steady] = [Date.now(), performance.now()];
  await sleep(SAMPLE_MS);
  const driftMs = Date.now() - wall - (performance.now() - steady);
  return {now: Date.now(), driftMs, synchronised: await synchronised()};
}

/** Whether the clock is fit for certificates and timestamps. The time zone does not matter: times are UTC. */
export function judgeClock({now, driftMs, synchronised: synced}: ClockReading): Finding {
  const year = new Date(now).getUTCFullYear();
  if (!(year >= FIRST_YEAR && year < LAST_YEAR)) {
    return problem(
      `the clock says ${Number.isNaN(year) ? 'nothing' : year}`,
      'Set the clock: certificates are judged by it, and no device would get in.',
    );
  }
  const findings = [ok(`${new Date(now).toISOString().slice(0, 19)}Z`)];
  if (Math.abs(driftMs) > STEP_MS) {
    const by = `${Math.round(driftMs)} ms`;
    findings.push(
      warning(
        `it was moved by ${by} while looked at`,
        'Let one program only set the clock, and slew it instead of stepping.',
      ),
    );
  }
  if (synced === false) {
    findings.push(
      warning('it is not synchronised', 'Turn on time synchronisation: timedatectl set-ntp true, or chrony.'),
    );
  } else if (synced === true) {
    findings.push(ok('synchronised'));
  }
  return together(findings);
}

async function synchronised(): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return undefined;
  try {
    const {stdout} = await promisify(execFile)('timedatectl', ['show'], {timeout: COMMAND_LIMIT_MS});
    const said = /^NTPSynchronized=(yes|no)$/m.exec(stdout)?.[1];
    return said === undefined ? undefined : said === 'yes';
  } catch {
    // Not installed, or no systemd behind it, as in containers: their host keeps the time.
    return undefined;
  }
}
