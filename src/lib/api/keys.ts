import {createSecretKey, hash, type KeyObject, randomBytes, timingSafeEqual} from 'node:crypto';
import {ExitCode, PaynetError} from '../errors.js';
import {type ApiKeyRow, type Params, prepare, type Store} from '../store/index.js';
import {createKey, revokeKey, touchKey} from './operations.js';
import {seal, unseal} from './sealed.js';

/** Each includes those before it. */
export const SCOPES = ['read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

export const allows = (has: Scope, needed: Scope): boolean => SCOPES.indexOf(has) >= SCOPES.indexOf(needed);

export interface NewKey {
  /** For people: 1 to 64 characters. */
  name: string;
  scope: Scope;
  /** UTC milliseconds; never when not given. */
  expiresAt?: number | undefined;
}

export interface KeyInfo {
  /** The prefix by which the key is recognised; it is no secret. */
  id: string;
  name: string;
  scope: Scope;
  createdAt: number;
  expiresAt: number | null;
  /** May be a minute old. */
  lastUsedAt: number | null;
  revokedAt: number | null;
}

/** Both secrets are shown this once. */
export interface CreatedKey extends KeyInfo {
  key: string;
  hmacSecret: string;
}

/** A key that may be used, and the secret that signs for it. */
export interface ActiveKey {
  id: string;
  scope: Scope;
  hmacSecret: KeyObject;
}

export interface ApiKeys {
  /**
   * Fails when a key in force was made with another master key: it could not be used, and nobody would know why.
   * @throws PaynetError MASTER_KEY_WRONG
   */
  check(): Promise<void>;
  /** Any number may be valid at once: that is how they are rotated. @throws PaynetError API_KEY_INVALID */
  create(key: NewKey): Promise<CreatedKey>;
  list(): Promise<KeyInfo[]>;
  /** In force at once here, within seconds on other nodes. @throws PaynetError API_KEY_NOT_FOUND */
  revoke(id: string): Promise<void>;
  /** The key, if it is in force and was looked up within the last seconds. */
  cached(key: string): ActiveKey | undefined;
  /** The key, if it is known and in force. @throws PaynetError MASTER_KEY_WRONG */
  find(key: string): Promise<ActiveKey | undefined>;
  /** Whether a key that was found before may still be used. */
  isInForce(id: string): Promise<boolean>;
  /** Notes the use of a key: one write a minute, else nothing. */
  used(id: string): Promise<void> | undefined;
}

export interface ApiKeysOptions {
  store: Store;
  /** 32 bytes; it decrypts the secrets that sign. */
  masterKey: Uint8Array;
  now?: () => number;
}

const KEY = /^pnk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}$/;
const SECRET_BYTES = 32;
const CACHE_MS = 5000;
const CACHE_SIZE = 1000;
const USED_EVERY_MS = 60_000;

const keyById = prepare((db, p: Params<{id: string}>) => db.selectFrom('api_keys').selectAll().where('id', '=', p.id));
const allKeys = prepare<object, ApiKeyRow>((db) => db.selectFrom('api_keys').selectAll().orderBy('created_at'));

interface Cached {
  row: ApiKeyRow;
  secretHash: Buffer;
  /** Only of a key in force: the others may be of a master key that is lost. */
  active: ActiveKey | undefined;
  until: number;
}

const NOTHING = Buffer.alloc(32);
const hashOf = (key: string): Buffer => hash('sha256', key, 'buffer');

/** The API keys of a store. @throws PaynetError MASTER_KEY_INVALID */
export function createApiKeys({store, masterKey, now = Date.now}: ApiKeysOptions): ApiKeys {
  if (masterKey.length !== SECRET_BYTES) {
    throw new PaynetError('MASTER_KEY_INVALID', `the master key has ${masterKey.length} bytes; it must have 32`);
  }
  const cache = new Map<string, Cached>();
  const usedAt = new Map<string, number>();

  async function load(id: string): Promise<Cached | undefined> {
    const cached = cache.get(id);
    if (cached !== undefined && cached.until > now()) return cached;
    const row = await store.readFirst(keyById, {id});
    cache.delete(id);
    if (row === undefined) return undefined;
    const active = isInForce(row, now()) ? activeOf(row) : undefined;
    const loaded = {row, secretHash: Buffer.from(row.secret_hash, 'hex'), active, until: now() + CACHE_MS};
    cache.set(id, loaded);
    trim(cache);
    return loaded;
  }

  function activeOf({id, scopes, hmac_secret_encrypted: sealed}: ApiKeyRow): ActiveKey {
    return {id, scope: scopes as Scope, hmacSecret: createSecretKey(unseal(masterKey, id, sealed), 'utf8')};
  }

  function matching(key: string, loaded: Cached | undefined): ActiveKey | undefined {
    // The same work for a key that is not there.
    const same = timingSafeEqual(hashOf(key), loaded?.secretHash ?? NOTHING);
    return same && loaded !== undefined && isInForce(loaded.row, now()) ? loaded.active : undefined;
  }

  return {
    async create({name, scope, expiresAt}) {
      requireValidKey(name, expiresAt, now());
      const id = randomBytes(6).toString('hex');
      const key = `pnk_${id}_${randomBytes(SECRET_BYTES).toString('base64url')}`;
      const hmacSecret = randomBytes(SECRET_BYTES).toString('base64url');
      const info = {id, name, scope, createdAt: now(), expiresAt: expiresAt ?? null};
      await store.run(createKey, {
        id,
        name,
        scopes: scope,
        secretHash: hashOf(key).toString('hex'),
        hmacSecretEncrypted: seal(masterKey, id, hmacSecret),
        createdAt: info.createdAt,
        expiresAt: info.expiresAt,
      });
      return {...info, lastUsedAt: null, revokedAt: null, key, hmacSecret};
    },

    async check() {
      const time = now();
      for (const row of await store.read(allKeys)) {
        if (isInForce(row, time)) unseal(masterKey, row.id, row.hmac_secret_encrypted);
      }
    },

    list: () => listKeys(store),

    async revoke(id) {
      try {
        await revokeStoredKey(store, id, now());
      } finally {
        cache.delete(id);
      }
    },

    cached(key) {
      const cached = cache.get(KEY.exec(key)?.[1] ?? '');
      return cached !== undefined && cached.until > now() ? matching(key, cached) : undefined;
    },

    async find(key) {
      const id = KEY.exec(key)?.[1];
      return matching(key, id === undefined ? undefined : await load(id));
    },

    async isInForce(id) {
      const loaded = await load(id);
      return loaded !== undefined && isInForce(loaded.row, now());
    },

    used(id) {
      const time = now();
      if (time - (usedAt.get(id) ?? Number.NEGATIVE_INFINITY) < USED_EVERY_MS) return undefined;
      usedAt.delete(id);
      usedAt.set(id, time);
      trim(usedAt);
      return store.run(touchKey, {id, now: time});
    },
  };
}

/** The keys of a store, the oldest first. This needs no master key. */
export async function listKeys(store: Store): Promise<KeyInfo[]> {
  return (await store.read(allKeys)).map(infoOf);
}

/** Revokes a key, without the master key: also one whose master key is lost. @throws PaynetError API_KEY_NOT_FOUND */
export async function revokeStoredKey(store: Store, id: string, now: number): Promise<void> {
  const revoked = await store.run(revokeKey, {id, now});
  if (!revoked && (await store.readFirst(keyById, {id})) === undefined) {
    throw new PaynetError('API_KEY_NOT_FOUND', `there is no API key "${id}"`, {
      hint: 'the list of keys shows the id of each',
    });
  }
}

function isInForce({revoked_at, expires_at}: ApiKeyRow, now: number): boolean {
  return revoked_at === null && (expires_at === null || expires_at > now);
}

function infoOf(row: ApiKeyRow): KeyInfo {
  return {
    id: row.id,
    name: row.name,
    scope: row.scopes as Scope,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}

/** @throws PaynetError API_KEY_INVALID */
export function requireValidKey(name: string, expiresAt: number | undefined, now: number): void {
  if (name.length < 1 || name.length > 64) {
    throw invalid('the name of an API key has 1 to 64 characters');
  }
  if (expiresAt !== undefined && !(Number.isSafeInteger(expiresAt) && expiresAt > now)) {
    throw invalid('the expiry of an API key must lie in the future');
  }
}

function invalid(message: string): PaynetError {
  return new PaynetError('API_KEY_INVALID', message, {exitCode: ExitCode.usage});
}

/** What has been there longest goes first. */
function trim(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  if (map.size > CACHE_SIZE && oldest !== undefined) map.delete(oldest);
}
