import type {CheckResult, Report, Status} from '../lib/doctor/index.js';
import {color} from './color.js';

const NAME_WIDTH = 14;
const SIGN_WIDTH = 7;
const SIGN: Readonly<Record<Status, string>> = {
  ok: color.green('ok     '),
  warning: color.yellow('warning'),
  problem: color.red('problem'),
  skipped: color.dim('skipped'),
};

/** A check for a person: its status, what was found and, on a line of its own, what to do. */
export function checkText({name, status, found, advice}: CheckResult): string {
  const indent = ' '.repeat(SIGN_WIDTH + 2 + NAME_WIDTH);
  const lines = found.split('\n').join(`\n${indent}`);
  const head = `${SIGN[status]}  ${color.bold(name.padEnd(NAME_WIDTH))}${lines}`;
  return advice === null ? head : `${head}\n${indent}${color.cyan(`→ ${advice}`)}`;
}

/** The last line: how many of what. */
export function summaryText({checks}: Report): string {
  const count = (status: Status): number => checks.filter((check) => check.status === status).length;
  const [problems, warnings] = [count('problem'), count('warning')];
  if (problems > 0) return color.red(`${counted(problems, 'problem')}, ${counted(warnings, 'warning')}`);
  return warnings > 0 ? color.yellow(`No problem, ${counted(warnings, 'warning')}`) : color.green('All is well');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
