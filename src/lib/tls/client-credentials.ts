import type {ConnectionOptions} from 'node:tls';
import {PaynetError} from '../errors.js';
import {identityOf} from './identity.js';
import {privateKeyPem} from './keys.js';
import {loadMaterial, readAuthorities, readCertificates, readOwnChain} from './material.js';
import {type MinVersion, tlsPolicy} from './policy.js';

/** Each of ca, cert and key is a path, or PEM text. */
export interface ClientTlsConfig {
  /** The authorities that the server may come from; the public ones unless told. */
  ca?: string | undefined;
  cert?: string | undefined;
  key?: string | undefined;
  /** The name that the server must prove, where it is not the one that is dialled. */
  server_name?: string | undefined;
  min_version?: MinVersion | undefined;
}

/**
 * Reads and checks what a device needs to connect. The server's certificate and name are always verified: there is no
 * way to turn that off. A certificate that is not valid yet passes, since devices start with a wrong clock.
 * Errors: TLS_FILE_UNREADABLE, KEY_PERMISSIONS, KEY_INVALID, KEY_ENCRYPTED, PEM_INVALID, TLS_CERT_INVALID,
 * TLS_CERT_EXPIRED, TLS_KEY_MISMATCH, TLS_KEY_REQUIRED, TLS_CA_INVALID.
 */
export async function loadClientCredentials(config: ClientTlsConfig, at = 'client.tls'): Promise<ConnectionOptions> {
  const now = Date.now();
  const options: ConnectionOptions = {...tlsPolicy(config.min_version ?? '1.3'), rejectUnauthorized: true};
  if (config.server_name !== undefined) options.servername = config.server_name;
  if (config.ca !== undefined) {
    const authorities = readAuthorities(await loadMaterial(config.ca, `${at}.ca`), now);
    options.ca = authorities.map(({pem}) => pem);
  }
  if (config.cert === undefined && config.key === undefined) return options;
  if (config.cert === undefined || config.key === undefined) {
    const [there, missing] = config.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    throw new PaynetError('TLS_KEY_REQUIRED', `${at}.${there} is set, but ${at}.${missing} is not.`, {
      hint: 'A device proves itself with both, or connects without either.',
    });
  }
  const cert = await loadMaterial(config.cert, `${at}.cert`);
  const key = await loadMaterial(config.key, `${at}.key`, {secret: true});
  const own = readOwnChain(cert, key, now);
  const usages = own.chain[0]?.fields;
  if (usages !== undefined && !usages.clientAuth) {
    throw new PaynetError('TLS_CERT_INVALID', `${cert.source} is not issued for a device.`, {
      hint: 'Issue one with `paynetctl tls gencert`, without --server; the server would refuse this one.',
    });
  }
  options.cert = own.chain.map(({pem}) => pem).join('');
  options.key = privateKeyPem(own.key);
  return options;
}

/**
 * The name that a device certificate (a path, or PEM text) gives its holder; undefined when it has none. `at` is the
 * configuration key that errors begin with. Errors: TLS_FILE_UNREADABLE, PEM_INVALID, TLS_CERT_INVALID.
 */
export async function certificateName(cert: string, at: string): Promise<string | undefined> {
  const [own] = readCertificates(await loadMaterial(cert, at), 'TLS_CERT_INVALID');
  return own === undefined ? undefined : identityOf(own.certificate)?.names[0];
}
