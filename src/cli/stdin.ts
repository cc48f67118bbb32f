import {PaynetError, UsageError} from '../lib/errors.js';

const MAX_INPUT_BYTES = 64 * 1024 * 1024;

/**
 * Everything that comes on stdin, at most 64 MiB. A person at a terminal is not kept waiting for nothing: without a
 * pipe or a file it is a UsageError with `hint`.
 */
export async function readStdin(hint: string): Promise<Buffer> {
  if (process.stdin.isTTY) throw new UsageError('There is no input.', {hint});
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_INPUT_BYTES) {
      throw new PaynetError('INPUT_TOO_LARGE', `The input is larger than ${MAX_INPUT_BYTES / 1024 / 1024} MiB.`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
