/** Exit codes of every command; a command that has more names them in its help. */
export const ExitCode = {done: 0, failed: 1, usage: 2} as const;

export interface PaynetErrorOptions {
  cause?: unknown;
  /** What the user can do about it: one sentence. */
  hint?: string;
  /** The exit code of a command that ends with this error; 1 unless told. */
  exitCode?: number;
}

/**
 * A situation that a user can understand and change. Its `code` is stable and may be matched by programs;
 * its message is a human sentence that holds nothing secret.
 */
export class PaynetError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(code: string, message: string, options: PaynetErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : {cause: options.cause});
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ExitCode.failed;
  }
}

/** The call itself was wrong: exit code 2. */
export class UsageError extends PaynetError {
  constructor(message: string, options: PaynetErrorOptions = {}) {
    super('USAGE', message, {exitCode: ExitCode.usage, ...options});
  }
}

/** One sentence for any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The `code` of a Node system error ('ENOENT', …) or of ours, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
