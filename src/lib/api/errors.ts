import {codeOf, messageOf, PaynetError} from '../errors.js';

export interface ApiErrorRow {
  /** HTTP status. */
  status: number;
  /** The envelope's number. */
  code: number;
  meaning: string;
  /** Seconds, for the Retry-After header. */
  retryAfter?: number;
}

const row = (status: number, code: number, meaning: string, retryAfter?: number): ApiErrorRow => ({
  status,
  code,
  meaning,
  ...(retryAfter !== undefined && {retryAfter}),
});

/** Every error that the HTTP interface can answer; errors.md says the same, and a test compares them. */
export const API_ERRORS = {
  INVALID_PARAMETER: row(400, 40001, 'The request is not what the document of the interface describes.'),
  ORDER_IS_CHARGING: row(400, 40002, 'The order charges: stop it instead of cancelling it.'),
  COMMAND_UNSUPPORTED: row(400, 40003, 'The device or its protocol has no such command.'),
  DEVICE_OFFLINE: row(400, 50301, 'The device is not connected; no order was made.'),
  UNAUTHORIZED: row(401, 40101, 'The API key is missing, unknown, expired or revoked.'),
  INSUFFICIENT_BALANCE: row(402, 40201, 'The balance of the card is too small.'),
  SIGNATURE_INVALID: row(403, 40301, 'The signature is missing or wrong.'),
  TIMESTAMP_EXPIRED: row(403, 40302, 'X-Timestamp is more than 300 s away from the time of the server.'),
  NONCE_REPLAYED: row(403, 40303, 'X-Nonce was used before: take a new one for each request.'),
  SCOPE_MISSING: row(403, 40304, 'The API key may not do this.'),
  ORDER_REFUSED: row(403, 40305, "The project's own hook has refused the order."),
  NOT_FOUND: row(404, 40400, 'There is nothing at this path.'),
  DEVICE_NOT_FOUND: row(404, 40401, 'The device is not known.'),
  PORT_NOT_FOUND: row(404, 40402, 'The device has no such port.'),
  ORDER_NOT_FOUND: row(404, 40403, 'The order is not known.'),
  EVENT_NOT_FOUND: row(404, 40404, 'The event is not known.'),
  DISCREPANCY_NOT_FOUND: row(404, 40405, 'The discrepancy is not known.'),
  COMMAND_NOT_FOUND: row(404, 40406, 'The command is not among the dead letters.'),
  API_KEY_NOT_FOUND: row(404, 40407, 'The API key is not known.'),
  METHOD_NOT_ALLOWED: row(405, 40500, 'The path is there, but not for this method.'),
  REQUEST_TIMEOUT: row(408, 40801, 'The request did not arrive in time.'),
  PORT_BUSY: row(409, 40901, 'The port is in use.'),
  ORDER_FINISHED: row(409, 40902, 'The order is over.'),
  PORT_STATE_MISMATCH: row(409, 40903, 'The port is not in the state that this needs.'),
  IDEMPOTENCY_CONFLICT: row(409, 40904, 'The order number or Idempotency-Key was used with another content.'),
  PENDING_ORDER_EXISTS: row(409, 40905, 'The port has a pending order.'),
  ORDER_SENT: row(409, 40906, 'The order is with its device: the coins may be out.'),
  PAYLOAD_TOO_LARGE: row(413, 41301, 'The body is larger than 1 MiB.'),
  UNSUPPORTED_MEDIA_TYPE: row(415, 41501, 'The body must be application/json.'),
  RATE_LIMITED: row(429, 42901, 'Too many requests: wait as long as Retry-After says.', 1),
  HEADERS_TOO_LARGE: row(431, 43101, 'The headers are larger than 16 KiB.'),
  INTERNAL: row(500, 50001, 'The server has failed; its log has the request_id.'),
  UNAVAILABLE: row(503, 50302, 'The server cannot do this at the moment; nothing was done.', 1),
  DEVICE_FAULT: row(503, 50303, 'The device reports a fault.'),
  PORT_FAULT: row(503, 50303, 'The port reports a fault.'),
  STORAGE_FULL: row(503, 50304, 'The storage of the server is full; nothing was done.', 30),
  UNCERTAIN: row(
    503,
    50305,
    'It is not known whether this was done: send the same request again, with the same order_no or Idempotency-Key.',
    1,
  ),
  QUEUE_OVERLOADED: row(503, 50310, 'Too many commands are waiting.', 1),
} as const satisfies Record<string, ApiErrorRow>;

export type ApiErrorCode = keyof typeof API_ERRORS;

/** An error of the table. */
export class ApiError extends PaynetError {
  /** Seconds; the row's own when not given. */
  readonly retryAfter: number | undefined;

  constructor(code: ApiErrorCode, message: string = API_ERRORS[code].meaning, retryAfter?: number) {
    super(code, message);
    this.retryAfter = retryAfter;
  }
}

/** What the floors below call by another name. Their sentences may name what is nobody's business out here. */
const OTHER_NAMES: Readonly<Record<string, ApiErrorCode>> = {
  ORDER_CONFLICT: 'IDEMPOTENCY_CONFLICT',
  ORDER_INVALID: 'INVALID_PARAMETER',
  API_KEY_INVALID: 'INVALID_PARAMETER',
  HOOK_REFUSED: 'ORDER_REFUSED',
  SERVER_STOPPED: 'UNCERTAIN',
  IDEMPOTENCY_UNAVAILABLE: 'UNAVAILABLE',
  STORE_FULL: 'STORAGE_FULL',
  STORE_UNCERTAIN: 'UNCERTAIN',
  STORE_BUSY: 'UNAVAILABLE',
  STORE_TIMEOUT: 'UNAVAILABLE',
  STORE_UNAVAILABLE: 'UNAVAILABLE',
  STORE_CONFLICT: 'UNAVAILABLE',
  STORE_BROKEN: 'UNAVAILABLE',
  STORE_CLOSED: 'UNAVAILABLE',
};

/** The error of the table that stands for any thrown value. What is not for strangers becomes INTERNAL. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const code = codeOf(error) ?? '';
  if (error instanceof PaynetError && isApiErrorCode(code) && code !== 'INTERNAL') {
    return new ApiError(code, messageOf(error));
  }
  const other = Object.hasOwn(OTHER_NAMES, code) ? OTHER_NAMES[code] : undefined;
  return new ApiError(other ?? 'INTERNAL');
}

export function isApiErrorCode(code: string): code is ApiErrorCode {
  return Object.hasOwn(API_ERRORS, code);
}
