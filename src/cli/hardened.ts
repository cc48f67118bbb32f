import {parseArgs} from 'node:util';
import {errorText, showError, stackOf} from './errors.js';
import {serve} from './serve.js';

/**
 * `serve` for a process that may not make code out of strings (`node --disallow-code-generation-from-strings`): the
 * command framework cannot be loaded there, so the flags are read by Node itself. Sets the exit code.
 */
export async function runHardened(args: readonly string[]): Promise<void> {
  let json = args.includes('--json');
  try {
    const {values} = parseArgs({
      args: [...args],
      options: {
        config: {type: 'string', short: 'c'},
        set: {type: 'string', multiple: true},
        check: {type: 'boolean', default: false},
        json: {type: 'boolean', default: false},
        debug: {type: 'boolean', default: false},
      },
    });
    json = values.json;
    const line = (text: string): boolean => process.stdout.write(`${text}\n`);
    const result = await serve({
      config: values.config,
      set: values.set,
      check: values.check,
      print: (text) => json || line(text),
      record: (value) => json && line(JSON.stringify(value)),
    });
    if (json && result !== undefined) line(JSON.stringify(result, undefined, 2));
  } catch (error) {
    const {exitCode, ...shown} = showError(error);
    process.exitCode = exitCode;
    if (json) process.stdout.write(`${JSON.stringify({error: shown}, undefined, 2)}\n`);
    else process.stderr.write(`${errorText({...shown, exitCode})}\n`);
    if (args.includes('--debug')) process.stderr.write(`${stackOf(error)}\n`);
  }
}
