import {createLog, type LogOptions} from '../../src/lib/observe/index.js';

/** A log whose lines are kept. */
export function collectingLog(options: Partial<LogOptions> = {}) {
  let text = '';
  const destination = {
    write(line: string) {
      text += line;
    },
  };
  const log = createLog({level: 'debug', format: 'json', ...options, destination});
  return {log, text: () => text, lines: () => text.split('\n').slice(0, -1)};
}
