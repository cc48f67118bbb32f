import {prettyFactory} from 'pino-pretty';
import type {Line} from './clean.js';

/** Renders clean lines for people: one event begins at the left edge, what belongs to it is indented. */
export function renderer(options: {color: boolean}): (line: Line) => string {
  return prettyFactory({colorize: options.color, singleLine: true, translateTime: 'SYS:HH:MM:ss.l'});
}
