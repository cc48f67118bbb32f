import {type ConfigFor, type LoadOptions, loadConfig} from '../config/index.js';
import {PaynetError} from '../errors.js';
import {createLog} from '../observe/index.js';
import {openStore, type Store, type StoreTarget} from '../store/index.js';
import {exists, writeFileAtomic} from '../tls/index.js';
import {
  type ApiKeys,
  type CreatedKey,
  createApiKeys,
  type KeyInfo,
  listKeys,
  requireValidKey,
  revokeStoredKey,
  type Scope,
} from './keys.js';
import {parseLifetime} from './lifetime.js';
import {openMasterKey} from './master-key.js';
import {apiOperations} from './operations.js';

/** Where the configuration of the server comes from. */
export type KeysSource = Omit<LoadOptions<'server'>, 'need'>;

export interface KeyRequest {
  /** For people: 1 to 64 characters. */
  name: string;
  scope: Scope;
  /** "90d", "12h"; never unless given. */
  expires?: string | undefined;
  /** A file to write it to, as JSON, for its owner only; there must be none yet. */
  out?: string | undefined;
}

/** A new key as programs get it; times are ISO 8601 in UTC. */
export interface KeyRecord {
  id: string;
  name: string;
  scope: Scope;
  key: string;
  hmac_secret: string;
  created_at: string;
  expires_at: string | null;
}

export function keyRecord({id, name, scope, key, hmacSecret, createdAt, expiresAt}: CreatedKey): KeyRecord {
  const expires = expiresAt === null ? null : new Date(expiresAt).toISOString();
  return {
    id,
    name,
    scope,
    key,
    hmac_secret: hmacSecret,
    created_at: new Date(createdAt).toISOString(),
    expires_at: expires,
  };
}

/**
 * Makes an API key in the store of a server, which may be running.
 * @throws PaynetError API_KEY_INVALID, DURATION_INVALID, FILE_EXISTS: nothing was made then; MASTER_KEY_WRONG, and what
 * the configuration, the store and the file of the master key are refused for
 */
export async function makeApiKey(source: KeysSource, request: KeyRequest): Promise<CreatedKey> {
  const {name, scope, expires, out} = request;
  const now = Date.now();
  const expiresAt = expires === undefined ? undefined : now + parseLifetime(expires);
  requireValidKey(name, expiresAt, now);
  if (out !== undefined && (await exists(out))) throw inTheWay(out);
  return withStore(source, async (store, config) => {
    // A configuration that was loaded always says where it is.
    const keys = createApiKeys({store, masterKey: await openMasterKey(config.api.master_key!)});
    // With another master key than the server's this one would be good for nothing.
    await keys.check();
    const made = await keys.create({name, scope, expiresAt});
    if (out !== undefined) await hand(keys, made, out);
    return made;
  });
}

/** The keys in the store of a server, the oldest first. */
export function listApiKeys(source: KeysSource): Promise<KeyInfo[]> {
  return withStore(source, listKeys);
}

/** Revokes a key in the store of a server: in force there within 5 s. @throws PaynetError API_KEY_NOT_FOUND */
export function revokeApiKey(source: KeysSource, id: string): Promise<void> {
  return withStore(source, (store) => revokeStoredKey(store, id, Date.now()));
}

async function withStore<T>(
  source: KeysSource,
  work: (store: Store, config: ConfigFor<'server'>) => Promise<T>,
): Promise<T> {
  const config = await loadConfig({...source, need: 'server'});
  const log = createLog({level: 'warn', format: config.observe.log_format});
  const store = await openStore(targetOf(config), {operations: [apiOperations], log, alongside: true});
  try {
    return await work(store, config);
  } finally {
    await store.close();
  }
}

function targetOf({store: {engine, path, dsn, pool}}: ConfigFor<'server'>): StoreTarget {
  return engine === 'sqlite' ? {engine, path: path!} : {engine, dsn: dsn!, poolSize: pool};
}

/** A key that nobody got to see must not stay in force. */
async function hand(keys: ApiKeys, made: CreatedKey, out: string): Promise<void> {
  try {
    const text = `${JSON.stringify(keyRecord(made), undefined, 2)}\n`;
    await writeFileAtomic(out, text, {mode: 0o600, overwrite: false});
  } catch (error) {
    await keys.revoke(made.id);
    throw error;
  }
}

function inTheWay(out: string): PaynetError {
  return new PaynetError('FILE_EXISTS', `${out} exists already; no key was made.`, {
    hint: 'Name a file that does not exist yet.',
  });
}
