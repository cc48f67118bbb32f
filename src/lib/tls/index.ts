export {type Authority, type AuthorityOptions, createAuthority, hasAuthority, openAuthority} from './authority.js';
export {type ClientTlsConfig, certificateName, loadClientCredentials} from './client-credentials.js';
export {type Crl, readCrls} from './crl.js';
export {dayOf, daysLeft, type Expiring, expiring} from './expiry.js';
export {
  exists,
  fileNameFor,
  makeFolder,
  type NewFile,
  readPrivateFile,
  readTextFile,
  writeFileAtomic,
  writeFilesTogether,
} from './files.js';
export {
  type IdentityFault,
  identityFault,
  identityOf,
  ownsName,
  type PeerIdentity,
  type Revocation,
} from './identity.js';
export {
  type CertificatePlan,
  type CertificateUsage,
  DEFAULT_DAYS,
  type IssuedCertificate,
  type IssueOptions,
  issueCertificate,
  MAX_DAYS,
  planCertificate,
} from './issue.js';
export {generateKeys, KEY_TYPES, type KeyPair, type KeyType} from './keys.js';
export type {WatchedCertificate} from './material.js';
export {checkedCn, parseSan, type SubjectName} from './names.js';
export {peerIdentity} from './peer.js';
export type {MinVersion} from './policy.js';
export {
  defaultCaDir,
  openOrCreateAuthority,
  type Provisioned,
  type ProvisionOptions,
  provisionCertificate,
} from './provision.js';
export {type FileWatch, watchFiles} from './reload.js';
export {type CrlText, RevocationList} from './revocation.js';
export {loadServerCredentials, type ServerCredentials, type ServerTlsConfig} from './server-credentials.js';
export {type CertificateRequest, signCertificate} from './sign.js';
export {rotateTicketKeys, type TicketKeys} from './tickets.js';
