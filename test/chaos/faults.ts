import type {Random} from './random.js';
import type {SinkMode} from './sink.js';

/** Moments at which the server is killed, and how its process is told (crash-point.ts). */
export const CRASH_POINTS = {
  'order stored, not answered': 'after:orders.createCoin',
  'attempt noted, not written': 'after:orders.claimCoin',
  'resend noted, not written': 'after:orders.resendCoin',
  'ack received, not stored': 'before:orders.reportCoin',
  'ack stored': 'after:orders.reportCoin',
  'event claimed': 'after:events.claim',
  'event posted, not noted': 'before:events.pushed',
  'failed post, not noted': 'before:events.failed',
} as const;

export type CrashPoint = keyof typeof CRASH_POINTS;
/** `frame written`: a box has got a command, and nobody knows yet. */
export type KillPoint = CrashPoint | 'frame written' | 'any moment';

/** What goes wrong in a round. */
export interface Faults {
  readonly kill: KillPoint;
  /** At which time that the point is reached. */
  readonly count: number;
  /** From the first order on, for `any moment`, and for a point that is not reached. */
  readonly killAfterMs: number;
  readonly sink: SinkMode;
  /** The boxes of the other process die at this payment, when the coins are out and nobody is told. */
  readonly boxDiesAt: number | undefined;
  /** Or at any moment. */
  readonly boxKilledAfterMs: number | undefined;
  /** Waits, and the box whose line is cut after each. */
  readonly lineCuts: readonly {box: number; afterMs: number}[];
  /** The sink is well again before the orders of the round have ended. */
  readonly sinkBackEarly: boolean;
}

const KILL_POINTS: readonly KillPoint[] = [
  ...(Object.keys(CRASH_POINTS) as CrashPoint[]),
  'frame written',
  'any moment',
  'any moment',
];

/** Seldom reached more than once in a round. */
const RARE: readonly KillPoint[] = ['attempt noted, not written', 'resend noted, not written'];

export function drawFaults(random: Random): Faults {
  const kill = random.pick(KILL_POINTS);
  return {
    kill,
    count: random.whole(1, RARE.includes(kill) ? 1 : 12),
    killAfterMs: random.whole(0, 2000),
    sink: random.pick(['ok', 'ok', 'ok', 'down', 'slow', 'garbage']),
    boxDiesAt: random.chance(0.2) ? random.whole(1, 4) : undefined,
    boxKilledAfterMs: random.chance(0.15) ? random.whole(0, 2000) : undefined,
    lineCuts: Array.from({length: random.chance(0.3) ? random.whole(1, 6) : 0}, () => ({
      box: random.whole(0, 99),
      afterMs: random.whole(0, 400),
    })),
    sinkBackEarly: random.chance(0.5),
  };
}

export function crashWords({kill, count}: Faults): string | undefined {
  return kill in CRASH_POINTS ? `${CRASH_POINTS[kill as CrashPoint]}:${count}` : undefined;
}
