const DAY_MS = 86_400_000;

/** Something with an end: what is watched for expiry. */
export interface Expiring {
  /** UTC milliseconds. */
  notAfter: number;
}

/** Whole days until `notAfter` (UTC milliseconds); 0 on the last day, negative once it has passed. */
export function daysLeft(notAfter: number, now: number): number {
  return Math.floor((notAfter - now) / DAY_MS);
}

/** Those of the certificates that end within so many days or have ended, the first to end first. */
export function expiring<T extends Expiring>(certificates: readonly T[], now: number, withinDays = 30): T[] {
  return certificates
    .filter(({notAfter}) => notAfter - now <= withinDays * DAY_MS)
    .sort((a, b) => a.notAfter - b.notAfter);
}

/** The day of a point in time as people write it: 2027-11-20. */
export function dayOf(time: number | string | Date): string {
  return new Date(time).toISOString().slice(0, 10);
}
