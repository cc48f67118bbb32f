import {PaynetError, type PaynetErrorOptions} from '../errors.js';

export interface CallErrorOptions extends PaynetErrorOptions {
  status?: number | undefined;
  requestId?: string | undefined;
  retryAfterMs?: number | undefined;
  isUncertain?: boolean;
}

/**
 * A call that has failed. Its code is the server's own (`DEVICE_OFFLINE`, …), or one of the way to it:
 * SERVER_UNREACHABLE, SERVER_TIMEOUT, CALL_ABORTED, ANSWER_REDIRECT, ANSWER_INVALID, ANSWER_TOO_LARGE.
 * What a server says stands in the message as it came.
 */
export class CallError extends PaynetError {
  /** Of HTTP; undefined when there was no answer. */
  readonly status: number | undefined;
  /** By which the server's log knows the request. */
  readonly requestId: string | undefined;
  /** How long the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Whether what was asked for may have been done all the same. */
  readonly isUncertain: boolean;

  constructor(code: string, message: string, options: CallErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
    this.isUncertain = options.isUncertain ?? false;
  }
}

/** What to do about errors that a server answers. */
export const ADVICE: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'Check the API key: it may be mistyped, revoked, expired, or of another server.',
  SIGNATURE_INVALID:
    'Check the secret that belongs to the API key; a proxy that rewrites paths breaks signatures, too.',
  TIMESTAMP_EXPIRED: 'Set the clock of this machine, or that of the server: they may differ by 300 s.',
  SCOPE_MISSING: 'Use an API key with a wider scope.',
  RATE_LIMITED: 'Wait a moment, then try again.',
  UNAVAILABLE: 'Wait a moment, then try again.',
  QUEUE_OVERLOADED: 'Wait a moment, then try again.',
  UNCERTAIN: 'Look whether it was done before you try again.',
  NOT_FOUND: 'The server may be of an older version: see /api/docs there.',
  INTERNAL: 'The log of the server has more under the id of the request.',
  STORAGE_FULL: 'Make room on the disk of the server.',
};
