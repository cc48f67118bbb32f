import type {QuickstartMoment} from '../lib/quickstart.js';
import {color} from './color.js';

const NAME_WIDTH = 12;
const WHAT_WIDTH = 12;

/** A moment as a line for a person: time, device, direction, message, fields. */
export function timelineLine({at, who, direction, what, detail}: QuickstartMoment): string {
  const time = color.dim(`${(at / 1000).toFixed(3).padStart(9)} s`);
  const name = color.cyan(who.padEnd(NAME_WIDTH));
  return `${time}  ${name} ${ARROW[direction]} ${STYLE[direction](what.padEnd(WHAT_WIDTH))} ${detail}`.trimEnd();
}

const ARROW = {sent: color.green('→'), received: color.blue('←'), event: color.dim('·'), failed: color.red('✗')};
const STYLE = {
  sent: (text: string) => color.green(text),
  received: (text: string) => color.blue(text),
  event: (text: string) => color.bold(text),
  failed: (text: string) => color.red(text),
};
