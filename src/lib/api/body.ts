import type {IncomingMessage} from 'node:http';
import {ApiError} from './errors.js';
import {EMPTY} from './exchange.js';

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;

/**
 * The bytes of a request; empty when it has none.
 * @throws ApiError PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE; what the connection says when it ends before
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const {headers} = request;
  if (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0) return EMPTY;
  if (!JSON_TYPE.test(headers['content-type'] ?? '')) throw new ApiError('UNSUPPORTED_MEDIA_TYPE');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) {
        // Nobody listens any more; the connection ends with the answer.
        request.pause();
        reject(new ApiError('PAYLOAD_TOO_LARGE'));
      } else {
        chunks.push(chunk);
      }
    });
    request.on('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
