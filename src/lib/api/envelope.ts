import {API_ERRORS, type ApiError, type ApiErrorCode} from './errors.js';

/** What every answer looks like. */
export interface Envelope {
  /** 0 for success, else the number of the error. */
  code: number;
  message: string;
  data: unknown;
  request_id: string;
  /** Unix seconds. */
  timestamp: number;
}

export interface ErrorEnvelope extends Envelope {
  error: string;
  error_code: string;
}

export function success(data: unknown, requestId: string, now: number): Envelope {
  return {code: 0, message: 'ok', data, request_id: requestId, timestamp: Math.floor(now / 1000)};
}

export function failure(error: ApiError, requestId: string, now: number): ErrorEnvelope {
  return {
    code: API_ERRORS[error.code as ApiErrorCode].code,
    message: error.message,
    data: null,
    request_id: requestId,
    timestamp: Math.floor(now / 1000),
    error: error.code.toLowerCase(),
    error_code: error.code,
  };
}
