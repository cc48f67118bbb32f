import {createPrivateKey, generateKeyPair, type KeyObject, webcrypto} from 'node:crypto';
import {promisify} from 'node:util';
import {PaynetError} from '../errors.js';

export const KEY_TYPES = ['p256', 'rsa2048', 'rsa4096', 'ed25519'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

/** A new key pair, made by OpenSSL off the main thread. */
export async function generateKeys(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case 'p256':
      return generate('ec', {namedCurve: 'P-256'});
    case 'rsa2048':
      return generate('rsa', {modulusLength: 2048});
    case 'rsa4096':
      return generate('rsa', {modulusLength: 4096});
    case 'ed25519':
      return generate('ed25519');
  }
}

/** PKCS#8 in PEM: what OpenSSL, mbedTLS, Go and Java all read. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({type: 'pkcs8', format: 'pem'}).toString();
}

/**
 * A private key out of PEM text. `source` names it in the error; nothing of the key itself is ever in one.
 * Errors: KEY_ENCRYPTED, KEY_INVALID.
 */
export function readPrivateKey(pem: string, source: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words ("DECODER routines::unsupported") help nobody.
    if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(pem)) {
      throw new PaynetError('KEY_ENCRYPTED', `${source} is protected by a passphrase.`, {
        hint: 'Decrypt it into a file of mode 600: openssl pkey -in KEY -out KEY.plain',
      });
    }
    throw new PaynetError('KEY_INVALID', `${source} is not a private key in PEM form.`, {
      hint: 'It has to begin with -----BEGIN PRIVATE KEY-----.',
    });
  }
}

/** How WebCrypto names the way a key signs; the digest is SHA-256, or what the curve asks for. */
export function signingAlgorithm(key: KeyObject): {name: string; hash?: string; namedCurve?: string} | undefined {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === 'ed25519') return {name: 'Ed25519'};
  if (key.asymmetricKeyType === 'rsa') return {name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256'};
  if (key.asymmetricKeyType !== 'ec') return undefined;
  if (curve === 'prime256v1') return {name: 'ECDSA', hash: 'SHA-256', namedCurve: 'P-256'};
  if (curve === 'secp384r1') return {name: 'ECDSA', hash: 'SHA-384', namedCurve: 'P-384'};
  return undefined;
}

/** The same private key as WebCrypto takes it, for signing only. */
export async function webKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const algorithm = signingAlgorithm(key);
  if (algorithm === undefined) {
    throw new PaynetError('KEY_UNSUPPORTED', `A key of type ${key.asymmetricKeyType ?? 'secret'} cannot sign here.`, {
      hint: 'Use a P-256, P-384, RSA or Ed25519 key.',
    });
  }
  const der = key.export({type: 'pkcs8', format: 'der'});
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
