import {Command, Errors, Flags} from '@oclif/core';
import {codeOf, ExitCode, messageOf, PaynetError} from '../lib/errors.js';

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
    if (this.jsonEnabled()) process.stdout.write(`${JSON.stringify(value)}\n`);
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
    const exitCode = exitCodeOf(error);
    process.exitCode = exitCode;
    if (this.jsonEnabled()) {
      this.logJson({error: {code: codeFor(error), message: messageOf(error), hint: hintOf(error)}});
    } else {
      process.stderr.write(`${describe(error)}\n`);
    }
    if (process.argv.includes('--debug') || process.env.PAYNET_DEBUG === '1') {
      process.stderr.write(`${stackOf(error)}\n`);
    }
    // oclif would print the error once more; an ExitError only carries the code.
    throw new Errors.ExitError(exitCode);
  }
}

function isUsageFault(error: unknown): boolean {
  return error instanceof Errors.CLIError && !(error instanceof PaynetError);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof PaynetError) return error.exitCode;
  return isUsageFault(error) ? ExitCode.usage : ExitCode.failed;
}

function codeFor(error: unknown): string {
  if (error instanceof PaynetError) return error.code;
  return isUsageFault(error) ? 'USAGE' : (codeOf(error) ?? 'INTERNAL');
}

function hintOf(error: unknown): string | undefined {
  if (error instanceof PaynetError) return error.hint;
  if (isUsageFault(error)) return 'See --help for the flags of this command.';
  return 'This looks like a defect of paynetctl: run again with --debug and report what it prints.';
}

function describe(error: unknown): string {
  const hint = hintOf(error);
  // The parser's own messages end with a line that points to --help already.
  const message = messageOf(error).trimEnd();
  const lines = [`Error: ${message}`];
  if (hint !== undefined && !message.includes('--help')) lines.push(`  ${hint}`);
  return lines.join('\n');
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
