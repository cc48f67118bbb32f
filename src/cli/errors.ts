import {codeOf, ExitCode, messageOf, PaynetError} from '../lib/errors.js';

/** An error as a command shows it. */
export interface ShownError {
  code: string;
  message: string;
  /** What to do about it. */
  hint: string | undefined;
  exitCode: number;
  /** By which the log of a server knows the request. */
  requestId?: string | undefined;
}

/** What a user is told of an error: one sentence and what to do, never a stack. */
export function showError(error: unknown): ShownError {
  const message = messageOf(error).trimEnd();
  if (error instanceof PaynetError) {
    const requestId = 'requestId' in error && typeof error.requestId === 'string' ? error.requestId : undefined;
    return {code: error.code, message, hint: error.hint, exitCode: error.exitCode, requestId};
  }
  if (isUsageFault(error)) {
    // The parser's own messages often end with a line that points to --help already.
    const hint = message.includes('--help') ? undefined : 'See --help for the flags of this command.';
    return {code: 'USAGE', message, hint, exitCode: ExitCode.usage};
  }
  const hint = 'This looks like a defect of paynetctl: run again with --debug and report what it prints.';
  return {code: codeOf(error) ?? 'INTERNAL', message, hint, exitCode: ExitCode.failed};
}

/** The lines for standard error. */
export function errorText({message, hint, requestId}: ShownError): string {
  const lines = [`Error: ${message}`];
  if (hint !== undefined) lines.push(`  ${hint}`);
  if (requestId !== undefined) lines.push(`  Request ${requestId}`);
  return lines.join('\n');
}

export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** Thrown by the parser of the command line: oclif marks its errors, Node's own has a family of codes. */
function isUsageFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return 'oclif' in error || codeOf(error)?.startsWith('ERR_PARSE_ARGS_') === true;
}
