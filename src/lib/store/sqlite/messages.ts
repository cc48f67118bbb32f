import {ExitCode, messageOf, PaynetError} from '../../errors.js';

/** What the thread is started with. */
export interface WriterOptions {
  place: string;
  /** The modules that hold the operations. */
  modules: readonly string[];
  /** Another process holds the database. */
  guest: boolean;
}

/** To the thread: operations as id, name, arguments, id, name, arguments, …; `null` ends it after what came before. */
export type ToWriter = unknown[] | null;

/** From the thread: once `started` or `refused`, then answers as id, 1 and value or id, 0 and error, … */
export type FromWriter =
  | {kind: 'started'; operations: string[]}
  | {kind: 'refused'; error: PlainError}
  | {kind: 'answers'; answers: unknown[]}
  | {kind: 'broken'; error: PlainError};

/** An error as plain data: the thread boundary keeps no codes. */
export interface PlainError {
  message: string;
  code?: string;
  hint?: string;
  exitCode?: number;
  stack?: string;
  cause?: PlainError;
}

export function toPlain(error: unknown): PlainError {
  const plain: PlainError = {message: messageOf(error)};
  if (!(error instanceof Error)) return plain;
  if (error.stack !== undefined) plain.stack = error.stack;
  if (error.cause !== undefined) plain.cause = toPlain(error.cause);
  if (!(error instanceof PaynetError)) return plain;
  plain.code = error.code;
  plain.exitCode = error.exitCode;
  if (error.hint !== undefined) plain.hint = error.hint;
  return plain;
}

export function fromPlain(plain: PlainError): Error {
  const {message, code, hint, exitCode = ExitCode.failed, stack} = plain;
  const cause = plain.cause === undefined ? undefined : fromPlain(plain.cause);
  const error =
    code === undefined ? new Error(message, {cause}) : new PaynetError(code, message, {cause, hint, exitCode});
  if (stack !== undefined) error.stack = stack;
  return error;
}
