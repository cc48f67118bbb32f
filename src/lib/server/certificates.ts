import type {ServerConfig} from '../config/index.js';
import {type Log, type Metrics, printable} from '../observe/index.js';
import {
  daysLeft,
  expiring,
  type FileWatch,
  loadServerCredentials,
  type ServerCredentials,
  watchFiles,
} from '../tls/index.js';

/** The certificates, key and revocation lists that a server uses. */
export interface Certificates {
  /** What was read last. */
  readonly credentials: ServerCredentials;
  /** Reads the files anew; rejects, with the old ones in use, when they are not good. */
  reload(): Promise<void>;
  /** Ends the watch over the files. */
  stop(): void;
}

export interface CertificatesOptions {
  tls: ServerConfig['tls'];
  metrics: Metrics;
  log: Log;
  /** A file has changed. */
  changed(): void;
  /** Other credentials are to be used from now on. */
  use(credentials: ServerCredentials): void;
}

const EXPIRY_DAYS = 30;
const EXPIRY_CHECK_MS = 12 * 60 * 60 * 1000;

/** Reads the certificates of a server and watches over them: over changes of their files, and over their end. */
export async function watchCertificates(options: CertificatesOptions): Promise<Certificates> {
  const {tls, metrics, log, changed, use} = options;
  // Watched before they are read: a change in between is seen, and told when they can be read anew.
  let isRead = false;
  let missed = false;
  const watch: FileWatch = watchFiles(filesOf(tls), () => {
    if (isRead) changed();
    else missed = true;
  });
  let credentials: ServerCredentials;
  try {
    credentials = await loadServerCredentials(tls);
  } catch (error) {
    watch.stop();
    throw error;
  }
  isRead = true;
  if (missed) setImmediate(changed);
  let stopped = false;
  const expiry = setInterval(warn, EXPIRY_CHECK_MS).unref();
  take(credentials);

  function take(read: ServerCredentials): void {
    credentials = read;
    metrics.watchCertificates(read.certificates);
    warn();
  }

  function warn(): void {
    const now = Date.now();
    for (const {file, subject, notAfter} of expiring(credentials.certificates, now, EXPIRY_DAYS)) {
      const fields = {file, subject: printable(subject), days: daysLeft(notAfter, now)};
      log.warn(fields, 'a certificate expires soon');
    }
  }

  return {
    get credentials() {
      return credentials;
    },
    async reload() {
      const read = await loadServerCredentials(tls);
      if (stopped) return;
      use(read);
      take(read);
      log.info({files: read.files}, 'certificates and revocation lists are read anew');
    },
    stop() {
      stopped = true;
      watch.stop();
      clearInterval(expiry);
    },
  };
}

/** The files behind a TLS configuration; its values may be PEM text too. */
function filesOf({cert, key, client_ca, crl}: ServerConfig['tls']): string[] {
  return [cert, key, client_ca, ...(crl ?? [])].filter(
    (value): value is string => value !== undefined && !value.startsWith('-----BEGIN'),
  );
}
