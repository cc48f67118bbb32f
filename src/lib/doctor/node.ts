import {type Finding, ok, problem, warning} from './finding.js';

interface Release {
  /** The least version without the known holes in TLS. */
  safe: readonly [minor: number, patch: number];
  support: string;
}

/** As of November 2026. */
const SUPPORTED: ReadonlyMap<number, Release> = new Map([
  [22, {safe: [23, 2], support: 'in maintenance'}],
  [24, {safe: [18, 1], support: 'current'}],
  [26, {safe: [0, 0], support: 'current'}],
]);
const RECOMMENDED = '24.18.1 or 22.23.2, or a later one of these lines';

/** Whether a version of Node ("20.20.2") runs this program and is still repaired. */
export function judgeNode(version: string): Finding {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const found = `Node ${version}`;
  if (major < 20 || (major === 20 && minor < 19)) {
    return problem(`${found} is too old: 20.19 is the least`, `Install ${RECOMMENDED}.`);
  }
  if (major === 20) {
    return warning(
      `${found}: no repairs since April 2026, holes in TLS stay open; it takes the least memory for each connection`,
      `Install ${RECOMMENDED}; count on 8 to 13 KiB more for each device.`,
    );
  }
  const release = SUPPORTED.get(major);
  if (release === undefined) {
    if (major > 26) return ok(`${found}, newer than this program knows`);
    return warning(`${found} is of a line without support`, `Install ${RECOMMENDED}.`);
  }
  const [safeMinor, safePatch] = release.safe;
  if (minor < safeMinor || (minor === safeMinor && patch < safePatch)) {
    return warning(`${found} has known holes in TLS`, `Install ${major}.${safeMinor}.${safePatch} or later.`);
  }
  return ok(`${found}, ${release.support}`);
}
