import {type Finding, problem, problemOf, type Status} from './finding.js';

/** One thing to look at. */
export interface Check {
  name: string;
  run(): Finding | Promise<Finding>;
}

export interface CheckResult {
  name: string;
  status: Status;
  found: string;
  advice: string | null;
}

/** Nothing here takes a second on a healthy machine; the first handshake of a cold start may. */
const LIMIT_MS = 5000;

/**
 * Runs checks one after another, since some of them measure time. One that does not come to an end within the limit is
 * a problem by itself, and so is one that throws.
 */
export async function runChecks(checks: readonly Check[], limitMs = LIMIT_MS): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const {status, found, advice = null} = await within(limitMs, check);
    results.push({name: check.name, status, found, advice});
  }
  return results;
}

async function within(limitMs: number, check: Check): Promise<Finding> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Finding>((resolve) => {
    const finding = problem(
      `no answer within ${limitMs / 1000} s`,
      'Something that this check asks hangs: look at disk and network.',
    );
    timer = setTimeout(() => resolve(finding), limitMs);
  });
  const found = Promise.resolve()
    .then(() => check.run())
    .catch((error: unknown) => problemOf(error, 'This could not be looked at.'));
  try {
    return await Promise.race([found, late]);
  } finally {
    clearTimeout(timer);
  }
}
