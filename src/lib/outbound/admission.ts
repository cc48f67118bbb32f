/** Priorities of commands (iot-middleware.md §6): the lowest goes first. */
export const PRIORITY = {emergency: 0, high: 1, normal: 2, low: 5, idle: 9} as const;

/** Above so many waiting commands, only commands up to this priority are taken. */
const STEPS: readonly (readonly [above: number, priority: number])[] = [
  [1000, 0],
  [500, 2],
  [200, 5],
];

/** Whether a command of this priority (0 first, to 9) may join a queue of this length. */
export function admits(priority: number, queueLength: number): boolean {
  const step = STEPS.find(([above]) => queueLength > above);
  return step === undefined || priority <= step[1];
}
