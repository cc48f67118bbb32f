import {randomBytes} from 'node:crypto';
import {dirname} from 'node:path';
import {codeOf, PaynetError} from '../errors.js';
import {exists, makeFolder, readPrivateFile, writeFileAtomic} from '../tls/index.js';

const KEY_BYTES = 32;
/** The standard alphabet, with its padding: 32 bytes are 44 characters. */
const SHAPE = /^[A-Za-z0-9+/]{43}=$/;

/**
 * The master key of a file: 32 bytes in base64. Where there is none it is made, readable by its owner only; of several
 * that come at once one makes it and all get the same.
 * @throws PaynetError MASTER_KEY_INVALID, KEY_PERMISSIONS, FILE_UNREADABLE, FILE_UNWRITABLE; never with its content
 */
export async function openMasterKey(path: string): Promise<Buffer> {
  if (!(await exists(path))) await make(path);
  return decode(path, await readPrivateFile(path));
}

async function make(path: string): Promise<void> {
  await makeFolder(dirname(path), 'private');
  const text = `${randomBytes(KEY_BYTES).toString('base64')}\n`;
  await writeFileAtomic(path, text, {mode: 0o600, overwrite: false}).catch((error: unknown) => {
    // Another process was faster; its key is the one.
    if (codeOf(error) !== 'FILE_EXISTS') throw error;
  });
}

function decode(path: string, content: string): Buffer {
  const text = content.trim();
  const key = Buffer.from(text, 'base64');
  // What decodes to the same bytes but is written otherwise was changed by hand.
  if (SHAPE.test(text) && key.toString('base64') === text) return key;
  throw new PaynetError('MASTER_KEY_INVALID', `${path} is no master key: it must hold 32 bytes in base64`, {
    hint: 'Put the file back from a backup. Without it the API keys made with it cannot be used any more.',
  });
}
