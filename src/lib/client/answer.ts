import type {IncomingMessage} from 'node:http';
import {ADVICE, CallError} from './errors.js';

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const ERROR_CODE = /^[A-Z][A-Z0-9_]{0,63}$/;
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
/** After these a change may have been made. */
const UNCERTAIN = new Set(['UNCERTAIN', 'INTERNAL']);

/** The whole of an answer. @throws CallError ANSWER_TOO_LARGE; what the connection throws */
export async function readAnswer(response: IncomingMessage, server: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) {
      throw new CallError(
        'ANSWER_TOO_LARGE',
        `The answer of ${server.origin} is larger than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB.`,
        {status: response.statusCode, hint: 'Ask for fewer entries at a time.'},
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What an answer holds. @throws CallError: the server's own error, ANSWER_INVALID */
export function dataOf(response: IncomingMessage, body: Buffer, server: URL, method: 'GET' | 'POST'): unknown {
  const {statusCode: status = 0} = response;
  const envelope = envelopeOf(body);
  const retryAfterMs = retryAfterOf(response);
  if (status >= 200 && status < 300 && envelope?.code === 0 && 'data' in envelope) return envelope.data;
  const {error_code: code, message, request_id: requestId} = envelope ?? {};
  if (status < 400 || typeof code !== 'string' || !ERROR_CODE.test(code)) {
    throw new CallError(
      'ANSWER_INVALID',
      `${server.origin} does not answer like a paynetctl server (HTTP ${status}).`,
      {
        status,
        retryAfterMs,
        isUncertain: method === 'POST' && status >= 500,
        hint: 'Check that it is the address of its HTTP interface (api.addr), and what stands in front of it.',
      },
    );
  }
  const advice = ADVICE[code];
  throw new CallError(code, typeof message === 'string' && message !== '' ? message : code, {
    status,
    retryAfterMs,
    isUncertain: method === 'POST' && UNCERTAIN.has(code),
    ...(typeof requestId === 'string' && REQUEST_ID.test(requestId) && {requestId}),
    ...(advice !== undefined && {hint: advice}),
  });
}

function envelopeOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    // What is no JSON is no envelope.
    return undefined;
  }
}

function retryAfterOf({headers}: IncomingMessage): number | undefined {
  const text = headers['retry-after'] ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : undefined;
}
