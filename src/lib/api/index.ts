/** The HTTP interface: routes by resource, authentication, its document, the live stream. */
export type {Rate} from './buckets.js';
export {API_ERRORS, ApiError, type ApiErrorCode} from './errors.js';
export {type ApiKeys, type CreatedKey, createApiKeys, type KeyInfo, type NewKey, SCOPES, type Scope} from './keys.js';
export {
  type KeyRecord,
  type KeyRequest,
  type KeysSource,
  keyRecord,
  listApiKeys,
  makeApiKey,
  revokeApiKey,
} from './manage-keys.js';
export {openMasterKey} from './master-key.js';
export {apiOperations} from './operations.js';
export type * from './ports.js';
export {type Api, type ApiLimits, type ApiOptions, startApi} from './server.js';
