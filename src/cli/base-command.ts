import {Command, Errors, Flags} from '@oclif/core';
import {safeJson} from '../lib/proto/index.js';
import {errorText, showError, stackOf} from './errors.js';

/** What shells give for a program that was ended by Ctrl-C. */
const INTERRUPTED = 130;

/**
 * What every command shares: `--json` and `--debug`, data on stdout, talk on stderr, and errors as one sentence
 * with what to do about it and a stable exit code. A command's `run()` returns the value that `--json` prints.
 */
export abstract class BaseCommand extends Command {
  static override enableJsonFlag = true;

  static override baseFlags = {
    debug: Flags.boolean({
      description: 'Print the stack of an error too',
      helpGroup: 'GLOBAL',
      env: 'PAYNET_DEBUG',
    }),
  };

  /** A line of data: stdout, silent under --json. */
  protected print(line = ''): void {
    this.log(line);
  }

  /** A record of a stream (what a device did): one line of JSON on stdout under --json, else nothing. */
  protected record(value: object): void {
    if (this.jsonEnabled()) process.stdout.write(`${safeJson(value)}\n`);
  }

  /** A command that streams has no final value: everything was printed as it happened. */
  override logJson(json: unknown): void {
    if (json !== undefined) super.logJson(json);
  }

  /** A line for the person at the terminal: stderr, silent under --json. */
  protected talk(line = ''): void {
    if (!this.jsonEnabled()) process.stderr.write(`${line}\n`);
  }

  protected override async catch(error: Error & {exitCode?: number}): Promise<void> {
    if (error instanceof Errors.ExitError) throw error;
    // Ctrl-C at a question is an answer, not a fault.
    if (error.name === 'ExitPromptError') throw new Errors.ExitError(INTERRUPTED);
    const shown = showError(error);
    process.exitCode = shown.exitCode;
    if (this.jsonEnabled()) {
      const {code, message, hint, requestId} = shown;
      this.logJson({error: {code, message, hint, request_id: requestId}});
    } else {
      process.stderr.write(`${errorText(shown)}\n`);
    }
    if (process.argv.includes('--debug') || process.env.PAYNET_DEBUG === '1') {
      process.stderr.write(`${stackOf(error)}\n`);
    }
    // oclif would print the error once more; an ExitError only carries the code.
    throw new Errors.ExitError(shown.exitCode);
  }
}
