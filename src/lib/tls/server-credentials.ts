import {constants} from 'node:crypto';
import type {TlsOptions} from 'node:tls';
import {PaynetError} from '../errors.js';
import {MAX_CRL_BYTES} from './crl.js';
import {dayOf} from './expiry.js';
import {proveHandshake} from './handshake.js';
import {privateKeyPem} from './keys.js';
import {
  type LoadedCertificate,
  loadMaterial,
  type Material,
  readAuthorities,
  readOwnChain,
  type WatchedCertificate,
  watched,
} from './material.js';
import {type MinVersion, tlsPolicy} from './policy.js';
import {RevocationList} from './revocation.js';

/** Each of cert, key, client_ca and crl is a path, or PEM text. */
export interface ServerTlsConfig {
  cert: string;
  key: string;
  client_ca?: string | undefined;
  crl?: string | readonly string[] | undefined;
  mutual_auth: boolean;
  min_version: MinVersion;
  session_tickets: boolean;
}

export interface ServerCredentials {
  /** Complete: fit for `tls.createServer` and for `server.setSecureContext`, which forgets whatever is left out. */
  options: TlsOptions;
  /** What to watch for changes. */
  files: string[];
  revocation: RevocationList | undefined;
  /** What to watch for expiry. */
  certificates: WatchedCertificate[];
}

const SESSION_TIMEOUT_SECONDS = 3600;
/** Node would hash the command line: nodes started in different ways could not resume each other's sessions. */
const SESSION_ID_CONTEXT = 'paynetctl';

/**
 * Reads and checks everything a TLS server needs, down to a trial handshake, and only then returns it: a reload that
 * fails leaves the running server as it was. `at` is the configuration key that errors begin with.
 * Errors: TLS_FILE_UNREADABLE, KEY_PERMISSIONS, KEY_INVALID, KEY_ENCRYPTED, PEM_INVALID, TLS_CERT_INVALID,
 * TLS_CERT_EXPIRED, TLS_CERT_NOT_YET_VALID, TLS_KEY_MISMATCH, TLS_CA_REQUIRED, TLS_CA_INVALID, TLS_UNUSABLE and
 * those of `RevocationList.fromPems`.
 */
export async function loadServerCredentials(config: ServerTlsConfig, at = 'server.tls'): Promise<ServerCredentials> {
  const now = Date.now();
  const cert = await loadMaterial(config.cert, `${at}.cert`);
  const key = await loadMaterial(config.key, `${at}.key`, {secret: true});
  const own = readOwnChain(cert, key, now);
  checkServerLeaf(own.chain, cert, now);

  const ca = config.client_ca === undefined ? undefined : await loadMaterial(config.client_ca, `${at}.client_ca`);
  const authorities = ca === undefined ? [] : readAuthorities(ca, now);
  if (config.mutual_auth && ca === undefined) {
    // Node would believe every public web authority instead.
    throw new PaynetError('TLS_CA_REQUIRED', `${at}.mutual_auth is on, but ${at}.client_ca is not set.`, {
      hint: 'Name the ca.crt of the authority that issued the device certificates.',
    });
  }
  const lists = await loadLists(config.crl, `${at}.crl`);
  const revocation = revocationOf(lists, authorities, at, now);

  const options: TlsOptions = {
    ...tlsPolicy(config.min_version),
    cert: own.chain.map(({pem}) => pem).join(''),
    key: privateKeyPem(own.key),
    // An empty list, not a missing one: a missing one loads all public authorities.
    ca: authorities.map(({pem}) => pem),
    ...(revocation && {crl: revocation.crls.map(({pem}) => pem)}),
    requestCert: config.mutual_auth,
    rejectUnauthorized: config.mutual_auth,
    honorCipherOrder: true,
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (config.session_tickets ? 0 : constants.SSL_OP_NO_TICKET),
    sessionTimeout: SESSION_TIMEOUT_SECONDS,
    sessionIdContext: SESSION_ID_CONTEXT,
  };
  if (own.chain[0] !== undefined) await proveHandshake(options, own.chain[0].certificate);
  return {
    options,
    files: [cert, key, ca, ...(lists ?? [])].flatMap((material) => material?.file ?? []),
    revocation,
    certificates: [...watched(cert, own.chain), ...(ca === undefined ? [] : watched(ca, authorities))],
  };
}

function checkServerLeaf(chain: readonly LoadedCertificate[], cert: Material, now: number): void {
  const fields = chain[0]?.fields;
  if (fields === undefined) return;
  if (!fields.serverAuth) {
    throw new PaynetError('TLS_CERT_INVALID', `${cert.source} is not issued for a server.`, {
      hint: 'Issue one with `paynetctl tls gencert --server`; devices would refuse this one.',
    });
  }
  if (now < fields.notBefore) {
    throw new PaynetError('TLS_CERT_NOT_YET_VALID', `${cert.source} is not valid before ${dayOf(fields.notBefore)}.`, {
      hint: "Check this machine's clock.",
    });
  }
}

async function loadLists(crl: ServerTlsConfig['crl'], configKey: string): Promise<Material[] | undefined> {
  if (crl === undefined) return undefined;
  const values = typeof crl === 'string' ? [crl] : crl;
  return Promise.all(values.map((value) => loadMaterial(value, configKey, {maxBytes: MAX_CRL_BYTES})));
}

function revocationOf(
  lists: readonly Material[] | undefined,
  authorities: readonly LoadedCertificate[],
  at: string,
  now: number,
): RevocationList | undefined {
  if (lists === undefined) return undefined;
  if (lists.length === 0) {
    // OpenSSL takes an empty list for "do not check"; whoever wrote the key meant the opposite.
    throw new PaynetError('CRL_EMPTY', `${at}.crl is set but names no revocation list.`, {
      hint: 'Name a list, or remove the key to go without revocation.',
    });
  }
  if (authorities.length === 0) {
    throw new PaynetError('TLS_CA_REQUIRED', `${at}.crl is set, but ${at}.client_ca is not.`, {
      hint: 'A revocation list is checked against the authority that signed it.',
    });
  }
  return RevocationList.fromPems(
    lists,
    authorities.map(({certificate}) => certificate),
    now,
  );
}
