import {messageOf, PaynetError} from '../errors.js';

/** `skipped`: there was nothing to look at, such as the certificates of a configuration that was not given. */
export type Status = 'ok' | 'warning' | 'problem' | 'skipped';

/** What a check found: one sentence each, nothing secret. */
export interface Finding {
  status: Status;
  found: string;
  /** What to do; absent when there is nothing to do. */
  advice?: string;
}

export const ok = (found: string): Finding => ({status: 'ok', found});
export const skipped = (found: string): Finding => ({status: 'skipped', found});
export const warning = (found: string, advice: string): Finding => ({status: 'warning', found, advice});
export const problem = (found: string, advice: string): Finding => ({status: 'problem', found, advice});

/** An error as a problem: its sentence and its hint. */
export function problemOf(error: unknown, advice: string): Finding {
  return problem(messageOf(error), (error instanceof PaynetError ? error.hint : undefined) ?? advice);
}

const WORST: readonly Status[] = ['problem', 'warning', 'ok', 'skipped'];

/** Several findings of one check as one: the worst status, all that was found, all that is to be done. */
export function together(findings: readonly Finding[]): Finding {
  const status = WORST.find((candidate) => findings.some((finding) => finding.status === candidate)) ?? 'skipped';
  const advice = [...new Set(findings.flatMap((finding) => finding.advice ?? []))].join(' ');
  const found = findings.map((finding) => finding.found).join('; ');
  return {status, found, ...(advice !== '' && {advice})};
}
