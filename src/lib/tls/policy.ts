import type {SecureVersion} from 'node:tls';

export type MinVersion = '1.2' | '1.3';

const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];

/** For old modems: forward secrecy and AEAD only. Node's own list for 1.2 still has CBC and CCM-8. */
const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

export interface TlsPolicy {
  minVersion: SecureVersion;
  maxVersion: SecureVersion;
  ciphers: string;
  ecdhCurve: string;
}

/** Versions, suites and groups, all of them named: what is left out falls back to Node's wider defaults. */
export function tlsPolicy(minVersion: MinVersion): TlsPolicy {
  const suites = minVersion === '1.2' ? [...TLS13_SUITES, ...TLS12_SUITES] : TLS13_SUITES;
  return {
    minVersion: minVersion === '1.2' ? 'TLSv1.2' : 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    ciphers: suites.join(':'),
    // Without the ffdhe groups, whose key exchange is a cheap way to burn a server's CPU.
    ecdhCurve: 'X25519:P-256:P-384',
  };
}
