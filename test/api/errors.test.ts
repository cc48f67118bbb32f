import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {API_ERRORS, type ApiErrorCode} from '../../src/lib/api/index.js';
import {PaynetError} from '../../src/lib/errors.js';
import {literalPorts, sharedTestApi} from './support.js';

/** The contract with those who use the interface: these stay as they are. */
const CONTRACT: [ApiErrorCode, number, number][] = [
  ['DEVICE_OFFLINE', 400, 50301],
  ['PORT_BUSY', 409, 40901],
  ['INVALID_PARAMETER', 400, 40001],
  ['ORDER_NOT_FOUND', 404, 40403],
  ['INSUFFICIENT_BALANCE', 402, 40201],
  ['ORDER_IS_CHARGING', 400, 40002],
  ['ORDER_FINISHED', 409, 40902],
  ['PORT_STATE_MISMATCH', 409, 40903],
  ['DEVICE_NOT_FOUND', 404, 40401],
  ['PORT_NOT_FOUND', 404, 40402],
  ['DEVICE_FAULT', 503, 50303],
  ['PORT_FAULT', 503, 50303],
  ['PENDING_ORDER_EXISTS', 409, 40905],
  ['ORDER_SENT', 409, 40906],
  ['ORDER_REFUSED', 403, 40305],
  ['UNAUTHORIZED', 401, 40101],
  ['SIGNATURE_INVALID', 403, 40301],
  ['TIMESTAMP_EXPIRED', 403, 40302],
  ['NONCE_REPLAYED', 403, 40303],
  ['IDEMPOTENCY_CONFLICT', 409, 40904],
  ['RATE_LIMITED', 429, 42901],
  ['QUEUE_OVERLOADED', 503, 50310],
  ['INTERNAL', 500, 50001],
];

describe('the table of errors', () => {
  it('is what errors.md says, row by row', () => {
    const text = readFileSync(new URL('../../src/lib/api/errors.md', import.meta.url), 'utf8');
    const documented = Array.from(
      text.matchAll(/^\| ([A-Z_]+) \| (\d+) \| (\d+) \| (.*) \|$/gm),
      ([, ...cells]) => cells,
    );
    const coded = Object.entries(API_ERRORS).map(([name, {status, code, meaning}]) => [
      name,
      String(status),
      String(code),
      meaning,
    ]);
    expect(documented).toEqual(coded);
  });

  it.each(CONTRACT)('keeps %s at %d, %d', (name, status, code) => {
    expect(API_ERRORS[name]).toMatchObject({status, code});
  });
});

describe('over HTTP', () => {
  let failing = '';
  const stats = async () => {
    throw new PaynetError(failing, 'as the port says');
  };
  const shared = sharedTestApi({ports: {...literalPorts(), stats}});

  it.each(Object.keys(API_ERRORS) as ApiErrorCode[])('a port can answer %s', async (name) => {
    failing = name;
    const {status, json, headers} = await shared().call('GET', '/api/v1/stats');
    const row: {status: number; code: number; meaning: string; retryAfter?: number} = API_ERRORS[name];
    expect(status).toBe(row.status);
    expect(json).toMatchObject({
      code: row.code,
      message: name === 'INTERNAL' ? row.meaning : 'as the port says',
      data: null,
      error: name.toLowerCase(),
      error_code: name,
    });
    expect(headers['retry-after']).toBe(row.retryAfter?.toString());
    if (row.status === 429 || row.status === 503)
      expect(row.code === 50303 || headers['retry-after'] !== undefined).toBe(true);
  });
});
