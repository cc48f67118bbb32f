import {dayOf, daysLeft, expiring, loadServerCredentials, type ServerTlsConfig} from '../tls/index.js';
import {type Finding, ok, problemOf, warning} from './finding.js';

const SOON_DAYS = 30;

/**
 * Loads certificates, key, authority and revocation lists as the server does: files and their modes, key and
 * certificate, dates, a trial handshake.
 */
export async function checkCertificates(tls: ServerTlsConfig, now = Date.now()): Promise<Finding> {
  const loaded = await loadServerCredentials(tls).catch((error: unknown) =>
    problemOf(error, 'Issue a new certificate, for example with `paynetctl tls gencert --server`.'),
  );
  if ('status' in loaded) return loaded;
  const {certificates} = loaded;
  const soon = expiring(certificates, now, SOON_DAYS);
  if (soon.length > 0) {
    const list = soon.map(({file, notAfter}) => `${file} in ${daysLeft(notAfter, now)} days (${dayOf(notAfter)})`);
    return warning(
      `expire soon: ${list.join(', ')}`,
      'Issue new ones in time; the server takes them up without a restart.',
    );
  }
  const first = Math.min(...certificates.map(({notAfter}) => notAfter));
  return ok(
    `${certificates.length} certificates, the key fits, a handshake works; the first expires on ${dayOf(first)}`,
  );
}
