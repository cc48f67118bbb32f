import {createCipheriv, createDecipheriv, randomBytes} from 'node:crypto';
import {PaynetError} from '../errors.js';

const VERSION = 'v1';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a text with AES-256-GCM; `owner` is bound to it, so that it cannot be moved to another row. */
export function seal(masterKey: Uint8Array, owner: string, text: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(Buffer.from(owner));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return `${VERSION}.${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
}

/** @throws PaynetError MASTER_KEY_WRONG */
export function unseal(masterKey: Uint8Array, owner: string, sealed: string): string {
  const [version, payload = ''] = sealed.split('.');
  const bytes = Buffer.from(payload, 'base64url');
  try {
    if (version !== VERSION) throw new Error(`a secret is sealed in an unknown way (${version})`);
    const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(owner)).setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch (error) {
    throw new PaynetError('MASTER_KEY_WRONG', `the secret of the API key ${owner} cannot be decrypted`, {
      cause: error,
      hint: 'Put back the master key (api.master_key) that it was made with, or revoke that API key and make another.',
    });
  }
}
