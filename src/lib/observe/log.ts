import {isatty} from 'node:tty';
import {pino} from 'pino';
import {cleanLine, type Line} from './clean.js';
import {renderer} from './pretty.js';
import {standardError} from './standard-error.js';
import {escapeJson} from './text.js';

/** What the modules need of a log; a test passes a literal. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  /** A log whose every line carries these fields. */
  child(fields: Record<string, unknown>): Log;
}

/** Where lines go: one call a line, its end included. */
export interface LogDestination {
  write(line: string): unknown;
  /** The lines that were lost before one could be written again; each is told once. */
  lost?(): number;
}

export interface LogOptions {
  level: 'debug' | 'info' | 'warn' | 'error';
  /** `auto`: pretty when standard error is a terminal, else JSON. */
  format: 'auto' | 'json' | 'pretty';
  /** Standard error unless given. */
  destination?: LogDestination;
}

/**
 * Makes the log of a program. A line is one event: nothing that is logged can forge another line, steer a terminal or
 * show a secret (by name and by shape). No worker, no code made at run time.
 */
export function createLog(options: LogOptions): Log {
  const {level, format, destination = standardError()} = options;
  const terminal = options.destination === undefined && isatty(2);
  const pretty = format === 'pretty' || (format === 'auto' && terminal);
  const render = pretty ? renderer({color: terminal && !process.env.NO_COLOR}) : undefined;
  const log = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {level: (label) => ({level: label})},
    },
    {
      write(line: string) {
        const clean = cleanLine(JSON.parse(line) as Line, render !== undefined);
        destination.write(render ? render(clean) : `${escapeJson(JSON.stringify(clean))}\n`);
        const lost = destination.lost?.() ?? 0;
        if (lost > 0) log.warn({lost}, 'lines of this log were lost: they could not be written');
      },
    },
  );
  return log;
}
