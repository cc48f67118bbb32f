import {constants, open} from 'node:fs/promises';
import {codeOf, messageOf} from '../errors.js';
import {unreadable} from './errors.js';

/** A configuration is a page of text; more is a mistake or an attack on the parser. */
export const MAX_FILE_BYTES = 256 * 1024;

/**
 * Reads a configuration file: a regular local file (a symbolic link to one is fine) of UTF-8 text.
 * @throws PaynetError CONFIG_UNREADABLE
 */
export async function readConfigFile(file: string): Promise<string> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(file)) {
    throw unreadable(file, 'is a URL', 'a configuration is read from a local file only: download and check it first');
  }
  // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw unreadable(file, ...openFailure(error), error);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw unreadable(file, 'is not a regular file', 'give the path of a configuration file');
    // One byte more than allowed tells a file that is too long, however its size is reported.
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let length = 0;
    while (length < buffer.length) {
      const {bytesRead} = await handle.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length > MAX_FILE_BYTES) {
      throw unreadable(file, `is larger than ${MAX_FILE_BYTES / 1024} KiB`, 'a configuration is a page of text');
    }
    return decode(file, buffer.subarray(0, length));
  } finally {
    await handle.close();
  }
}

function decode(file: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(bytes);
  } catch (error) {
    throw unreadable(file, 'is not UTF-8 text', 'save it as UTF-8', error);
  }
}

function openFailure(error: unknown): [reason: string, hint: string] {
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ['does not exist', 'give the path of a configuration file'];
    case 'EACCES':
    case 'EPERM':
      return ['may not be read', 'let the user of this program read it'];
    default:
      return [`cannot be read: ${messageOf(error)}`, 'check the path and the disk'];
  }
}
